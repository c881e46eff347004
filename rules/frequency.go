package rules

// The compiler chooses among the literals of a pattern, and among the windows
// of a literal, by how seldom they stand in text. The model is a table of how
// frequent pairs of bytes are in source code, configuration and prose, which
// was measured once over some 20 MB of Go, Python, C, JavaScript, JSON, YAML,
// Markdown and HTML. It steers speed only: with any other table the matches
// are the same.

// frequencyClass joins bytes that behave alike: each letter is a class of its
// own, all digits are one.
func frequencyClass(b byte) int {
	switch {
	case 'a' <= b && b <= 'z':
		return int(b - 'a')
	case 'A' <= b && b <= 'Z':
		return 26 + int(b-'A')
	case '0' <= b && b <= '9':
		return 52
	case b >= 0x80:
		return 63
	}
	switch b {
	case ' ', '\t':
		return 53
	case '\n', '\r':
		return 54
	case '_':
		return 55
	case '-':
		return 56
	case '.':
		return 57
	case '/':
		return 58
	case ':':
		return 59
	case '"', '\'':
		return 60
	case '=':
		return 61
	}
	return 62
}

// pairFrequency estimates the share of the pairs of bytes in a text that are
// a and b.
func pairFrequency(a, b byte) float64 {
	q := int(pairTable[frequencyClass(a)*64+frequencyClass(b)] - '#')
	p := 1 / float64(uint64(1)<<(q/2))
	if q%2 == 1 {
		p *= 0.70710678
	}
	return p
}

// frequency estimates the share of the positions of a text at which the
// literal s stands.
func frequency(s string, fold bool) float64 {
	p := 1.0
	for i := 0; i+1 < len(s); i++ {
		pair := foldedPair(s[i], s[i+1], fold)
		if i > 0 { // given the byte before
			pair = min(1, pair/singleFrequency(s[i], fold))
		}
		p *= pair
	}
	return p
}

func singleFrequency(b byte, fold bool) float64 {
	sum := 0.0
	for c := range 128 {
		sum += foldedPair(b, byte(c), false)
		if fold && isLetter(b) {
			sum += foldedPair(b^0x20, byte(c), false)
		}
	}
	return max(sum, 1e-9)
}

func foldedPair(a, b byte, fold bool) float64 {
	p := pairFrequency(a, b)
	if !fold {
		return p
	}
	if isLetter(a) {
		p += pairFrequency(a^0x20, b)
	}
	if isLetter(b) {
		p += pairFrequency(a, b^0x20)
		if isLetter(a) {
			p += pairFrequency(a^0x20, b^0x20)
		}
	}
	return p
}

// rarestWindow returns where in s the window of four bytes begins that the
// prefilter looks for, and how often it estimates to see it. The window of a
// three-byte literal is the literal.
func rarestWindow(s string, fold bool) (offset int, p float64) {
	if len(s) < 4 {
		return 0, foldedPair(s[0], s[1], fold) * singleFrequency(s[2], fold)
	}
	p = 2
	for i := 0; i+4 <= len(s); i++ {
		if q := windowFrequency(s[i:i+4], fold); q < p {
			offset, p = i, q
		}
	}
	return offset, p
}

// pairTable holds '#' + 2*-log2(frequency), a row for each class of the first
// byte and a column for each of the second.
const pairTable = "" +
	"<746>;6A6B9343H8D34289><9?GHFFGGFHHIKHFHJGHGEEGIFIJJ?7??@:>A?GCV" +
	"8>==6>?G9:E7@C9AH8<@7DG;8BGGDGEHGIHIIHGHIGHGHFHHGFII?=AA@9>E@GGZ" +
	"5?:<5==59G57;B3>C8:49ADF=GBBBCBDGFCGCBECBBICBDGFHHII>:@>@:>=?AEV" +
	"7==83>?B5AD;@A6?H<9<8AB><F=B?A@ACD@JEBBBAAIA@@DBDHIG>5;:=9<<;>BW" +
	"5;43758>;A@462>78123=9859B=@=@=?CB>FB>?A@=D?<>B<BFJF>289:6;89:?W" +
	"7?=>88@E5IH:<>5AH9;:7GFG<IDHHFGHHIFGJGIFGDIGCFHGIIII?6@A@8BB?9D[" +
	"<@=E5A<:6HE<@94?J98=;DDGA@CFCCCCFE=HG@BDFCFCABFFEJGGB7=>?8:>=>CZ" +
	"5BDA2FAG6IF=<B6@H8=6:GBG?HBEBDDDFEDIGCDFECJFCEFGHGHHB8?>?<@<=?EY" +
	"8756856GBE=46138@733B8H:H9GEGGFCIGGHGHGFGHHGGHIGHLGKE>C@A=ADBFD`" +
	"BGDG;HIGDICHHH>EGI<H?GCHHIGIIGHHHGFJFJHHIIIIIHHIIIHIIDIKH>EHEKL[" +
	"9EE@6A;F;HG=D>?BEB;@?G@HCIAF@DBCEGCFHDCFEAGCBDGFFGJHD;>?@=ABACF^" +
	"4?>727>C3?@5A>5<H@757>@E8B@E@CABBCDGGCDAD@HB@CFDJDGGE8>;?;:><@CZ" +
	"5:B;3FAE8D?89B64GE;;;CGH?FDB?EABHGBGHEEEBAICCDFDFJIGD9?=A;8>>DE\\" +
	"5@54483?7D::>;6<E@42:9BD:CBCAB@ADDAFEACBCBGB@BDBCGGEE4;;<9=;:<BV" +
	"9964=69D:>:64176F276598?CD@CACACFG@EHDEDGDIC@CDDFGHGB6==<8;<>BEZ" +
	"4C==5A?;9F;6AA68E5878DDB;I:C?ABCFDBHI>?BD?I?>AHFCFICB:?>>:@<?BD[" +
	"GIIHIIIHGIJCFIJHIDDG7GGHKIHGGIHHHJHGHIFIHGJHGJIHHIKIFBFBHAFEDHKb" +
	"4?891;6C4H:;864>F6567<>F8HBD@B@@GEBIGADBCAIA?AEDDFIHD5<<=9<<<=AX" +
	"8A8?2=@75F:6<=77B=526?=D:EABACCBEEBFGBCBD@ICABDFFFIGC4:;;597;:AY" +
	"4?971<A23HB:8A48G4676A=<6C>@<>==?A;HC>??@<D>;<@@BCIG?3:897:::=@Q" +
	":8:;5;;G8GE585=8I565D@F;F=HJIJIHIIHGJGIIHGGHHIHIIJFHE>GFABCFDGK[" +
	"7F?D4DAH9JGEEA<BHDCCEGGGGHHHGHFIHHGJJFGGIGIGIHIJJGHH><C;@9?B?EF^" +
	"9EED9FE97IDBE<9DJ:=CHH>FHHEDEFDEGFDIGDEFFEGBBDF?CHHGG<B@A=CCEFI_" +
	"9F<D;BJC;HGE=FB:HG78FGHC?DDDDFDCFD<KIGEFFFHDDDGEHIIG@;@@@<>??CEZ" +
	"B?AE?FEF>FG;<<;6H?::EE@HF@DEBDBCDFAEHCCCB@FDACEDFGIGF7==?;>==@D_" +
	">HEG9EGD=HGDBHDHIC?DFHEHB=FFGEFFJKGIJHEHHHIGGGJHEGHGFBECGCCHBEK`" +
	"HD=;HBBEFGH;F=F?H:>>;CDFHG@><<?C?F?EB=9=G=A:><@AD@DFD?FBAFGDDEL`" +
	"=GEH>HEG>JH<IH>HH@DK=HGH?IACBEACDG?FE?CDCDCB?E@FEFDEGBFDFF>EEFJ`" +
	";GGF?FC;CFI=BG7HI?D@@EFHEH<C@B=BB=@H@?=C=@E?@>B>FEEHD?FAC?EDCGJ]" +
	">HBH:HGI<GIDGG=HICBIBGGHFJ?A@>>CGC>IGA?D?DAB?B@DCEDHA>B@@BECCDI_" +
	"BIGBIBFHFII>B<JI?;CFG?G:FI=B>>AA>HEHF@?<AAA<<>D@D=AFG>B<BACBB@Jb" +
	"<JGFAHGI;KI=GD<@H=EE;IGGGI@EADC?DH>HG@>FABHBBCBGHFEHFBFCCHICFMK`" +
	"EIGE<LGI?IHAIF;IJ@HDDIGHHDDCBG?DHD?JIBH?:BGB@AEDFHGGECC@JEIEFFM`" +
	"=JHE<IGH@HIFFJ?HHFGFBJHIGH=GFD=HGICHICCF@CICD@BHCIGHGBFAGFBEFBLZ" +
	"IEC=F<EGIHIF>7HHGH>;HIHJIHBA=<@@?HAFG?@;>=G?><GAG@IAF@FHHCFHEHKb" +
	"AIIJFHIGEIKIHHBHIIFIBFIIHIGGFJDHIIIHFHGHGIJHAIGIDFIIHMNLKLJKMXR]" +
	"DIJJ=JIIBIHHGGFHJGHLGKHHGIFDCE?GEGDII=G=GGIHDIEJJKJIGFICDJ?JFHM^" +
	"@IBG<IIG:IICEI;IJE@FFGIHHF>EA?<DFF=IG>EG=CDD?=BCDFDBG?C<EAECCFJ\\" +
	":JDH=III=IFIII=GIHDG?IIIDG=>D:<FGH=GH>@C;=GEA?@FGFIIDBE@GEFIDKM^" +
	";IHH;JIH@IIGHG9HGJBI?HIIHH>G@>?B>GAHEEFC>DIG==>CGGCGG@F;IFDEEBLb" +
	"H?DII=HHIIFEH?I7H?EB>CFIJI>A>=@?BGAGB@>;==G;=>?<CCIHFCG@FIIBFIL^" +
	":IEI@HGCCIB>IG;HK:F<?FII@I<C=@<DAC=IB?@F@>D>=@@ICFCHFADAEGEGFKKb" +
	"GHDIFIFIHKJEGIHHJJFHBIHJGHEFGDFHGGEFIDBDJKCDFFBIFIFGFEIJTJIHGFM`" +
	"?HEC8IHFBJGECB?HHI@C>IGJFI>C>?;ACF=G>=<B=CD@>?AADDBIE?D?IGDDDEK^" +
	"?I?I:HH?<JB?FB>=EEE9=G>J=H=?>><FC=>I=<BD??CA=<?DCDCGB?C?DCE@BAJa" +
	">JGI:HI8@IIIEH;II;EGAICH:H?DAB<AD<>H=@AD=@D>A?@HCC<EE>A;GDDDBEHb" +
	"HFGJGHGHAIGDI=IAID<FIHIBHHB?CCBDBI>II=B?FCE=>>FFGEIGCCHMKGIEJJLb" +
	"9KDJ=IGHBHHGJJAIKHIIHJJHFGAA@@>DEBCIICCDG=CEA@EB@DHEEDFENJJIIKM]" +
	"?ICE>IJ?=GHDFEAJG=EEIJIHIIAECCFGHEAHGGCE>HGEDFEFHFLFGEGGLKKHGOMb" +
	"GIHEHHGHIHJHFCFDHGFFHIIIHIEECDAEHEDIHC?FB?FC=?EGFBBIEBGAEDGGEHLb" +
	"GHJJGJJFGIJJIJ?HHHIHHGHIJHFHFHGFIJFHHGEDG=IFDEHHFHGFHBG@IHJHGDMb" +
	"HIJHAJHICIIFHJGIIGDHIHHJIHGIFIAHGJFGHGFHHHIHGIHHFDIFGEKIKJIHFRMb" +
	"??????HGHHGFHHIDIHFEGHIAHHEFEGGEHGDIHECGGFHGEEFBIEIH:=?@?;B@?HE\\" +
	"465765884?=77766?543877;<?:<:==<;>;AB<<;:;F<:9=>=@BE</B;7;8967=M" +
	"@C=@>;;C=EIC>DA=M?<?CACIHK@BBDCBCD@KMDDEDDODA=DGCIEME37C:D;MADAS" +
	"<<:;<<=>:D><<<=:D;::==??FG@A<>?=BA>KCA>?<=F>=<<ACDNKA?F:MAEHCMFb" +
	"<<;=<<=@=AA=<>=<C<;;>=?<FCCCBDBEEFDKHCFFFDKDBBEGEFOC>9;I3GCEDED_" +
	"<>7<<=89:?B>9<:;G<;<>?>@DB9=<><:?@<DC=>;:;J;;9>??AGI;979J9;I>MFX" +
	"8;99==8<;B=9;=>9>=98><>=BACFCBEDDCDFFDDGECGCCBFFDEGIB8@EC?5KAIDZ" +
	"CCCAFCDCELJDFCI>PBDAJGDILMHJFGHIKGNPKHIIKGOIEHOMQKOPB58HCF9A<7Eb" +
	"=><>=>;;>ED=><?=G=<<@?A@FF=@>AAAA@@FFA@AAAH?>>BACDIHA:9@?>@7;D@T" +
	"CECCEBBEEMKDBC@CKCACFCGHHKMIGHJBKOHROKQ@LIPKHCJKLKNPD6BICDGL88G`" +
	"CCDDFEFEDMIEFDGDJFBBGCIDLLHIGJIIGJJOOJIIIIRHGHLJHIRNG==IEC@DBEG^" +
	"WXYY`Z\\_ZbbZ[\\YZ`XVPZ\\bV]`X[]T[]b][bb`^b\\Zb]\\\\_Ybbbb^NS^YWSYT`\\T"
