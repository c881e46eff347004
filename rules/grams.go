package rules

import "math"

// Words make some sequences of four bytes far more frequent in text than their
// pairs tell: "type" is not what a "ty" happens to stand before a "pe" for. So
// beside the frequencies of pairs there is a list of the most frequent
// sequences, measured once over some 40 MB of source code in a dozen languages,
// of configuration and of prose. It steers speed only, as the pairs do.

// gramCount is how many sequences there are.
const gramCount = len(gramTable) / 5

// gramText returns sequence i, and gramShare the share of the positions of a
// text at which it stands.
func gramText(i int) string { return gramTable[5*i : 5*i+4] }

func gramShare(i int) float64 { return math.Exp2(-float64(gramTable[5*i+4]-'#') / 2) }

// gramFrequency returns the share of the four bytes s, if they are in the list,
// else 0.
func gramFrequency(s string) float64 {
	lo, hi := 0, gramCount
	for lo < hi {
		if m := (lo + hi) / 2; gramText(m) < s {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo < gramCount && gramText(lo) == s {
		return gramShare(lo)
	}
	return 0
}

// windowFrequency estimates the share of the positions of a text at which the
// four bytes s stand. With fold, in the ways in which words are written: in
// lower or upper case, and with one capital.
func windowFrequency(s string, fold bool) float64 {
	sum := foldedPair(s[0], s[1], fold) * foldedPair(s[2], s[3], fold)
	sum += gramFrequency(s)
	if !fold {
		return sum
	}
	var upper [4]byte
	for i := range upper {
		upper[i] = s[i]
		if isLetter(s[i]) {
			upper[i] &^= 0x20
			one := [4]byte([]byte(s))
			one[i] = upper[i]
			sum += gramFrequency(string(one[:]))
		}
	}
	return sum + gramFrequency(string(upper[:]))
}

// A gramIndex lists the sequences by their first and second pair.
type gramIndex [2]map[uint16][]uint16

func newGramIndex() *gramIndex {
	x := gramIndex{map[uint16][]uint16{}, map[uint16][]uint16{}}
	for i := range gramCount {
		s := gramText(i)
		for half := range x {
			pair := uint16(s[2*half]) | uint16(s[2*half+1])<<8
			x[half][pair] = append(x[half][pair], uint16(i))
		}
	}
	return &x
}

// gramTable holds the sequences in order, each with '#' + 2*-log2(frequency)
// behind it.
const gramTable = "" +
	"\t\t\t\t9\t\t\t >\t\t\t/?\t\t\tc@\t\t\ti>\t\t\tp?\t\t\tr@\t\t\tt@\t\t\t}>\t\t  ?\t\t$2>\t\t/*@\t\t//<\t\tif<\t\tis@\t\tna@\t\tp.>\t\tre=\t\tss<\t\tt.?" +
	"\t\t}\n<\t   =\t$2 >\t/* >\t// :\t<is@\tADC@\tADD?\tMOV;\tcas>\tech@\tfor>\tif ;\tiso@\tnam?\tp.F@\tp.T@\tret<\tssa<\tvar@" +
	"\t}\n\t;\t}\n\n>\n\t\t\t8\n\t\t$>\n\t\t/>\n\t\ta@\n\t\tc?\n\t\tf@\n\t\ti<\n\t\tn>\n\t\tp=\n\t\tr>\n\t\ts<\n\t\tt?\n\t\t}=\n\t  >\n\t//;\n\t<i@\n\tAD=\n\tMO;" +
	"\n\tVP>\n\tca?\n\tfo?\n\tif=\n\tmk@\n\tre>\n\t{\"@\n\t}\n<\n\n\t\t?\n\n\t/?\n\n  7\n\n# >\n\n##=\n\n#i@\n\n* ?\n\n/*?\n\n//=\n\nfu>\n   0\n  \"<" +
	"\n  #?\n  -=\n  />\n  <8\n  b?\n  c=\n  d@\n  e?\n  f<\n  i@\n  m?\n  p?\n  r@\n  t?\n  v@\n  }=\n * =\n */A\n#\n#>\n#  @" +
	"\n## >\n###?\n#de;\n#en@\n#if@\n#in<\n* *@\n// :\n1. =\n</d@\n<a ?\n<p>@\nDAT@\n```?\naptA\ndiv@\nech@\nexpA\nfro@\nfun<" +
	"\ngit@\nif @\nimp@\ntyp?\n}\n\n: \n  =  \n @   \n@    +   \"6   #:   $>   '?   (?   )>   *:   -9   .?   /;   0>" +
	"   :>   <8   @=   A?   C=   D@   I@   R?   S?   T>   X>   Y@   [@   ]?   _=   a=   b;   c:   d9   e:" +
	"   f;   g>   h=   i8   j@   l>   m=   n=   o<   p:   r8   s9   t:   u=   v=   w=   x?   {<   |@   }8" +
	"  \"\"=  \"a<  \"c>  \"d>  \"e@  \"i@  \"l@  \"m?  \"n>  \"p@  \"r=  \"s@  \"t?  # :  $0?  )\n@  * ;  */=  - 9  --@" +
	"  /*=  //;  0x>  </;  <aA  <c9  <d=  <l@  <s<  <w?  @j?  CA@  Co@  R1A  Th>  X-@  ]\n@  __?  ba?  bi@" +
	"  bo>  ca?  co:  de:  di?  do@  ec?  el>  en=  ex>  fi?  fo;  fu@  ge@  he?  if9  in<  ja@  lo@  ma=" +
	"  me@  na?  op@  pa=  pr=  pu<  ra?  re8  ru@  se<  st=  te?  th>  to@  tr@  ty=  us?  va>  wi?  x-@" +
	"  {\n=  { @  {\"@  | @  }\n9  } ?  },; != < \"\"\n@ \"\"\"= \"${> \"20A \"<p@ \"ad@ \"al@ \"ap? \"au@ \"cl? \"co? \"de?" +
	" \"ht> \"in? \"me? \"na@ \"pa@ \"re= \"st> \"va@ #  @ $0x= $re@ ${{@ &&\n@ && = (GL? *\n @ *  @ * <? * @? */\n:" +
	" *teA += @ - \"> - T@ - n? --g> --u? --v> -> > /* > /**> // : />\n= 0, @ 0;\n? 0x0> 0x8@ 200@ 201@ 202?" +
	" := : </d? <a ? <co8 <de@ <do@ <li? <sp@ <sy< <wa? = \"> = '@ = (@ = 0@ = 1@ = [@ = _> = a? = b@ = c@" +
	" = d@ = f? = i@ = m@ = n? = o> = p@ = r? = s= = t? = v@ = {A == ; => ? @ja? @re@ API@ AX\nA Add? All@" +
	" Apr@ Aut? Bui? C.c@ CAR@ Cha@ ComA Con> Cop? EGL? For? GL_> GMTA Go ? If > Lic= Non> OR @ Pro@ R10@" +
	" R11@ R12@ R14A See@ Ser@ Tes@ The; Thi= TypA Use? Val@ Ver@ Wor@ X-M@ You@ [\n ? \\\n\t? \\\n ? ]\n @ ]; A" +
	" _GLA __cA __i? a c> a f@ a n@ a p@ a r@ a s> abo@ acc> act> add= ali@ all= an < and9 any= app= are<" +
	" arg= as < ass> at ? att? aut= bac> bas> be : bin@ bit? blo@ bod? boo= bor? buf= bui> but> by < byt>" +
	" cal= can< cas> cer@ cha= che? cla9 cli? clo@ cod= col= com: con8 cop> cou@ cre? cur? dat= dec@ def:" +
	" dep? des= det? dir> dis< do @ doc= doe@ don@ ech> ele? els= enc? end< ent@ env? err: eve@ exa@ exc?" +
	" exi? exp< ext> fai@ fal= fie? fil; fin> fir@ fol@ fon= for8 fou@ fro< fun; gen> get< git? giv@ go ?" +
	" gro> han? has= hav> hea> hre; htt= id=? if 8 imp< in 9 inc> ind> inf? inl@ inp> ins< int: io.> ir.?" +
	" is 9 iss@ it = ite> its@ jav> key= lan@ len> lib? lic@ lin= lis> loc> log? loo@ mak? man@ map@ mar>" +
	" mat> may> mem@ mes? met> mod= mor@ mus? nam9 nee? new< nil= no @ non? nor> not: nul= num< obj; of 8" +
	" off@ on < one? onl? ope> opt= or ; oth> out= ove@ pac> pad? par< pas? pat< per> pla@ poi@ pos? pre=" +
	" pri= pro: pub< rai? ran> rea> rec? ref> reg> rel> rem@ rep= req; res: ret8 rig@ run< sam@ scr@ sec?" +
	" see@ sel: ser> set< sha@ sho> sig> siz> so @ som@ sou> spa@ spe= src@ ssa? sta: std? sto@ str: sty?" +
	" sub> suc@ sup> sys? tag@ tar? tem? tes= tex? tha: the5 thi: thr> tim> tit@ to 8 tok? too@ tra= tru<" +
	" typ9 uin@ und> uni@ upd@ url@ use: usi? val; var< ver< voi= wan@ was@ we > whe= whi= wid? wil= win@" +
	" wit: wor? wri? xml9 you= {\n\t9 {\n 7 { r@ { v@ {\"t@ |\n @ ||\n> || > }\n\n< }\n : }\nf? }\n}@ } e@ });A },\n;" +
	" };\n@ }}\n? ~ />!= 0A!= n?\"\n\t\t<\"\n\t\"@\"\n\n @\"\n  8\" />?\" gr?\" hr@\" nu=\"\"\n =\"\"\"\n=\")\n\t?\")\n @\");\n@\",\n\t@\",\n 8" +
	"\", \"<\"/>\n<\": \"8\": [>\": {;\":{\n@\":{\"@\"<p>@\">\n =\">\n<@\"></A\">xs@\"add@\"alp@\"api@\"aut@\"cli@\"clo@\"com?\"des?" +
	"\"doc@\"hlj?\"htmA\"htt<\"int@\"lib?\"nam?\"parA\"pre@\"ref@\"res@\"sha>\"str>\"typ>\"val@\"},\n=#\n  @#\n# >#   ># Th@" +
	"### ?####=#def;#end@#inc<#xsl@$0x0?$2 ~>${{ ?& __@&&\n\t@'\n  ?');\n@',\n @', '?(\n  <()\n\t>()\n @() {<() }@" +
	"())\n@(), @();\n<(FP)@(SB)=(a){?(a,b?(buf?(con?(e){@(fun?(htt<(int@(mesA(obj>(resA(sel<(thi=(val@)\n\t\t:" +
	")\n\ti@)\n\t}>)\n\n\t?)\n\n\n?)\n\n <)\n\n#@)\n  8)\n* ?)\n1.@) ([@) ->>) ==@) re?) {\n8) { ?) }\n?))\n\t>))\n\n@))\n @)) {@" +
	"));\n?),\n @), R?)/8,@):\n <);\n\t?);\n\n=);\n 9); C@); }A);re@)ret@){if@){re=){va=*\n  =*\n *?*   A* **@* <c?" +
	"* @rA**\n =****9*/\n\n@*/\n =*tesA,\n\t\t:,\n\t{?,\n  6, \"v@, $0@, 0x?, AX@, GL>, R1<, X1@, Y1?, __>, an>, bu@" +
	", cl@, co>, er=, in>, or@, re>, se?, so@, st=, th=, ty@, wh@,fun@,thi?-\n  A- na@----7--go>--us?--ve>" +
	"-03-@-Ms-@-api?-clo=-col?-comA-for?-go ?-go-@-go.@-go/=-hea@-man@-ms-@-one@-res>-sdk?-siz@-spe?-sty>" +
	"-typ@-use?-ver=-wei?.\n\t\t?.\n\n =.\n\n#?.\n  :.\n *@.\n# A.\n//?.\nfu@. Th>....?.0.4@.1.1@.442@.</p>.Byt@.Err@" +
	".Fro?.Nam@.OpA<.Ove?.Pro@.Reg>.Res>.Str>.TYP?.To.?.Typ>.Ver?.Vsa@.add?.app?.att=.azu@.cal>.com9.con?" +
	".creA.css@.get<.git<.go\"?.go@@.goo;.h>\n<.htm<.int=.lan=.len=.lic@.md\"@.nam@.net@.nod@.org<.par?.pre=" +
	".pro;.pus@.remA.repA.set?.staA.tes@.typ@.v0.?.v1.?.val@.vsa?/\n  </   @/ Co@/ Th@/ ||>/**\n>//  @// C?" +
	"// I@// S@// T?// a@// c@// s@// t@////<//gi=//ww>/>\n\t@/>\n </>\n<?/_/a?/a><=/api=/aut@/azu>/bin@/clo?" +
	"/cod</com8/con@/div?/doc=/git</go/?/goo;/int?/iss?/li>>/lib?/p>\n?/p>\"@/proA/rea@/res?/spa</spe@/td>>" +
	"/tr>@/wad@/www=0\n  ?0, 0@0, RA0.44@00, @00009018-@021 @03-2@0;\n ?0px;@0x00=1\n  @1 --@1\",\n@1.18@10, @" +
	"11, @12, @16, @18-0@2 ~ >2.0.@2.1.@2018?2021?21 -@21 1@3-28@39_2A3C\\x@3E\\x@3\\x6@421 @4421@4\\x6?5\\x6@" +
	"5\\x7@61\\xA639_?64VP>65\\x>69\\x@6E\\x@6F\\x@72\\xA73\\x@74\\x?8-03@:\n\t\t>:\n  7: \n @:   ?: \"\"@: \"<@: \"a@: \"g@" +
	": \"h?: \"p@: \"s>: ${@: 0;@: 10@: 20@: [\n@: bo@: fa@: ht@: in@: no>: st@: tr>: {\n;:** @://g<://w=:= r?" +
	":= s@:]);@:doc@:fun=:lan9:par>:{\n @:{\"s@;\n\t\tA;\n\n =;\n  6;\n}\n;; C.@; th>; us@; }\n?;</c?;if(?;ret></a>;" +
	"</co8</de@</di?</do@</li></p><</sp<</td></tr@</wa@<a cA<a h<<br @<cod<<com9<div?<doc@<iso?<li>?<lin@" +
	"<p>T@<spa<<sys<<td>?<tr>@<typ@<wad?= 0 A= ni>= nu?= ob?= ra@= re@= se?=\"de@=\"hl?=\"ht==\"li?=\"pr?=\"re@" +
	"=\"te@=2.0@== \"@== n?====<=MIC@=fun@=thi@>\n\t<?>\n  6>\n#i=>\n</>>\n<a@>\n<d?>\n<p@>\n<tA></a@></d?></l?></t=" +
	"><a >><br@><co@><p>A><sp=><td?>The@>xsl@@2.1@@jav?@mic@@retAABLEAADCQ@AMD6<API @APIE?ARCH?ATA @AX, @" +
	"Acce?All @Apr AArgs@Arra?Asse@Atte?Attr?Auth=Azur?B)/8@BCXX@Base@Buff@Buil;Byte>C.ca@CALL@CARD@CENS@" +
	"CROS@CXX_@Call>Cert@Chan>Chec>Chil@Clas>Clie>Code?Comm@Comp>Conf@Cons@Cont<Copy?Crea>D64V=DATA?Data>" +
	"Date@Defa?Desc=DigeADocu@ENSE@ENTR?ERSI>E\\x3AElem>Entr@Erro;Even?Exce=Expr@Exte?FT_M@F\\x6AFataAFiel<" +
	"File>For @Form@ForwAFrom=Func=GLIB@GL_A?GLen@GLin@GMT\nAGOAR@GOOS@Gene>GoSt@HANG@HTML@HTTP?Hash@Head@" +
	"IBCX@ICEN@ICRO@IENT>ION @IT_N@Iden@Inde?Info?Init@Inpu?Inst?Inte>Inva@Item@Iter<JSON?LIBC@LICE@L_AP?" +
	"Lenu@Lice=Link@Lint@List;Loca@MD64<MICR@MIT_@MOVD?MOVQ=MT\n AMask=Mess>NAME>NO_V@NTRY?Name;Node=None=" +
	"Numb@OARC@OFT_@OSOF@OVQ >O_VE@Obje>Offs@OpAM<Open@Opti>Oute@Outp@Over?P), @PATHAPIEN?Para?Pars@Path?" +
	"Poin@Poli?Prog?Prop?Prot?Publ@Q   >ROSO@RSIO>RY g@Read>Refe@Reg @Reg(@Regi>Requ=Reso>Resp?Resu?Retu@" +
	"SB),@SB)/@SION>SOFT?SON(@See @Sele@Serv>Sign@Size>Stac?Stat>Stri;StylASumm?T\n  ?TEXT@TION?TRY @TYPE=" +
	"T_MI@T_NO@Test=Text@The :This<Time>Toke@TranAType:Upda@Use @User@VERS>VQ  @Vali@Valu=Veri=Vers>Vsa.@" +
	"Wind@With@Work@Writ@X, R@X-Ms@Y gl@YPE_>You @[\n  ?[:])@[]by?\\\n  ?\\x3C@\\x3E@\\x61@\\x65>\\x69@\\x6E@\\x6F@" +
	"\\x72A\\x73@\\x74?]\n  =] = >](ht=]); @],\n @]; t?]byt>_ = >_(se@_/az?_639?_API?_GLI@_MIT@_NAMA_NO_@_VER>" +
	"__(s@__in@_att>_cod=_com?_con?_dat@_ent?_fil@_get@_ini@_int@_iteA_key?_lib?_lin@_nam<_opt@_par@_pat@" +
	"_pre@_pro?_req?_res@_sta@_str@_tot?_typ<_val?_ver@```\n@a cl@a co?a hr<a,b)@a.Op<a.Ve@a.la=a</cAa>\n @" +
	"a></>a><b@abasAabel?abil@able9acce>ace >ace(@ach @ache=ack ?ackC@acka<acke>ackg?acro@acti=adat@addi<" +
	"addr?ader;adinAadl:=adme?afte@age =age\"@age-?age.>age:@ager?ages>aile@ails@ain ?aine>ains?aise>ake ?" +
	"al;\n?algo@alid<alig?aliz>all ;all(?allG@all_@allb?alle=allo>alls@ally>alph>alse<alsoAalue9amd6?ame :" +
	"ame\"=ame(@ame)>ame,>ame.@ame:<ame=;ames=amet=ampl>an a@an b?an c<an e@an i@an>\nAan><=anag>ance<anch@" +
	"and\n@and 9anda@andl=ando@ang.<ang=9ange;angu>anno@ansf?ansl?ansp@ant ?any >ape\"?api->api_@apis=apiv>" +
	"appe<appl=apt\tAar b>ar cAar(-@aram:arat@arch=are ;ared?aren>arge=argi>args>argu>aria=arra?arse<art @" +
	"arti>ary ?ary.?ary>@ary_@as a?as tAase ;ase\"@ase(Aase.?ase_@asesAash @aske>asn1?ass =ass.@ass=9asse=" +
	"assi@ast @at c@at i@at t?ata >ata)@atab@atal@atch<ate :ate\"@ate(?ate-@ate:@ate<@ate_>ated:ater@ates;" +
	"ath ?ath.@atic<atin?atio6ativ>ator;atri@atte;attr=atur=atus>ault;ause@auth=auto<ava.<ave >azur<b.co;" +
	"b.in>back;base<be a@be fAbe u@befo@ber ?ber==bers?beta@bili?bin/@bina@bind@bitF?bits@bj.T?bjec:ble <" +
	"ble.@bled?bles?blic;blob?bloc>body<bool=bord>bose@br /@bran@brar>brea?btas@buf ?buf.<buf[?buff@buil<" +
	"but ?bute=buti?butt@bxsl?by a@by t@byte;c BuAc st>cach>cal @call9can =case;cate:cati:cces=ccou@ce c@" +
	"ceDe?cens;cent?cept;cert>ces ?cess;chan=char=chec<ched@chem?ches@chil@chin@cho <cial@cifi=ck()@ckCh@" +
	"ckag<cken@cker=cket>ckgr?clas8clea?clie=clos@clou;clud;code8codi?coll@colo;com.<com/:comm6comp:cond>" +
	"conf<conn@cons:cont:conv@cope?copy>core>coun=cove@crea=cret@crip9cros>cryp?cs/s@cted=ctio7ctiv?ctor<" +
	"ctur@cume<curr>cuti@d\n\n ?d\n  <d = ?d an@d asAd be@d by=d co?d fo?d in<d ofAd on?d re?d th=d to<d wi?" +
	"d\",\n?d\": ?d,\n\t@d-co@d-go>d.\n @d.go>d0_ @d:\n @d;\n Ad>\n @d>\n<Ad></@dIte@dMes@dard@data:date;dati?dd><@" +
	"dded@ddin>ddit>ddre@de\n ?de <<de c?de i@de=\"=de>\n>de> ?debu@deco@ded =def :defa<defi9dele@denc?dent<" +
	"depe?der <der(>der-@der=>der_?ders>des @desc;dest@deta@dev/@dex @dget@dica<dict@diff?difi@dige@ding:" +
	"dire=disa@disp>dist=diti=div ?div.@div>>dk-f@dl:pAdler@dme.@doc:=dock?docs?docu<does@done?down?dows>" +
	"dpoi@dres@dth:@duce@dule=dy: Ae\n\t\t?e\n\n @e\n  9e\n//@e --?e <s?e = ;e ==@e GL>e Li>e __Ae a >e alAe an=" +
	"e ar?e as@e ca>e cl=e co;e de>e di@e do@e en@e ex?e fi>e fo<e fu@e ha@e if@e in<e is<e it@e la@e li?" +
	"e lo@e ma@e me@e na@e ne@e no?e of<e or@e pa>e pr>e re<e se?e si@e sp@e st>e su@e te@e th:e to=e ty@" +
	"e us>e va@e wi?e {\n=e\"\n ?e\",\n@e\": :e\":\">e\"><@e() ?e();@e(bu@e)\n\t@e)\n ?e) {?e);\n?e,\n >e, aAe, cAe, e@" +
	"e, t@e-cl>e-he@e-ma@e-on@e-re?e.\n\n?e.\n ?e.co=e.md@e.pr<e/au@e:\n <e: \">e: n@e;\n =e; u@e</c@e=\"s@e>\n =" +
	"e></@eDes?eErr@eFro@eNamAeStr?eTyp?e_ty?each?ead ?eade;eadm?eady@ean @eapi=earc>ease=eate;eatu?ebug?" +
	"ecat@echo<ecif=eck @eck(@econ@ecor@ecre@ecs/@ect =ect.>ect_@ecte=ecti;ecto<ects@ecur?ecut@ed\n ?ed a=" +
	"ed b<ed c@ed f>ed i=ed o?ed s@ed t<ed u@ed w?ed\",@ed()@ed, ?ed.\n>ed: @edMe@edef>eden@edia@edic=ee tA" +
	"eed ?eede@een @ef _>ef: Aef=\";efau;efer<efin9efix?efor?eg =@eger@egin@egis=eigh<ekorAelat@eld @eld0?" +
	"elds@elea=elec=elem=elet?elf)?elf,>elf.:else<em;\n@embe?emen:emor@emov>empl>empt?en\n ?en t@enab@enam<" +
	"ence<enco>ency?end\n=end ?end(>ende=endi>ener;engt<ense;ensi>ent\n@ent 7ent\"?ent(?ent)@ent,@ent-?ent.<" +
	"ent:@ent>9ent_>enta=ente>enti;entr=ents;enum>eof ?eout?epar@epea@epen>epla?epor?epos?epre>ept @epti=" +
	"equaAeque:equi<er\n ?er -@er =@er a?er c@er f@er i?er o?er s@er t<er\">@er()?er) @er, >er.\n@er/r@er: ?" +
	"er=\"=er=M@erCl@erExAerab@eral>erat9erbo@ere >ered@eren<erfa?erge@eria?eric>erif<erin@ermi>ern @erna;" +
	"erne?err =erri?erro:ers >ers.?ers:?ersi:erti<erty?erve<ervi=es\n\n@es\n @es =@es a=es f@es i?es o?es t=" +
	"es\":?es, ?es.\n?es.v?es:\n?es: >escr:ese Aesen?eser@esizAesol@esou;espa@espo<ess =essa;esse@essi?est\n@" +
	"est <est(?est-=est.=est:?est_=esta;este?esti>ests>esul;et -@et t@et, @etDe@etad@etai?eter<ethe@etho<" +
	"ette@etti@etup@etur7etwo@evel=even=ever>evic@exam?exce>exec?exisAexit?expa@expe>expo>expr?ext >ext-@" +
	"ext.@exte<eywoAf\n  Af (!@f [ @f __?f a @f er@f in@f no?f seAf th:f=\"#@f=\"h>f[:]@face?fact@fail>fals<" +
	"faul;fer @fere<ffer<ffff>ffse>fica;fied>fiel>fier>figu?file9filt@fina@find?fine:fini?firs=flag>floa@" +
	"flow?fmt.@foll@font<for 8for(?for-@fore?form:foun?free?from;fset>ft.a@fter?ftwa?func7g\n  ?g = >g th=" +
	"g\": @g, s@g.Ov?g.St?g=\"e?g=\"f@g=\"s@gene<ger @ger/@ges @gest>get ?get(@getD@get_>gger?ghli@ght =ght:=" +
	"ghtsAgin-?ging?gist=git ?gith:give@gle-=gle.;glea=glob?gnal?gnat?gned?go ->go\",?go.l@go/c?go/i@go@2@" +
	"gola>goog9gori?goveAgram?grap@grep@grou<gth @gth;@guag?gume>gura@h = @h th>h:\n ?h>\n#=hand>hang<hape?" +
	"har ?hare>has @hash=hat ;have>he\n ?he AAhe G?he L>he a>he b?he c<he d?he e?he f=he i?he l?he m@he n?" +
	"he o?he p=he r=he s<he t>he v@head;heck;heig?help?hema@hen\n>hen =hentAher =here=heseAhich>hift@high?" +
	"hild>hile@hing?his :his)@his,@his.;hlig@hljs>ho \">hod @hods@hori>hort?host?houl>hout@hrea@href;hrow>" +
	"ht 2Aht: >html;http9hub.:i-sp?i>\n Ai><a@iabl>ial @iali?ials@iant@iate@ible@ibra>ibta@ibut;ibxs?ic B@" +
	"ic i@ic s@ical>icat9ice ?icen;ices?ich >icit@icro>id=\"?idat=ide\n?ide @iden?ideoAides@idth=ied ?ield;" +
	"ient;ies >ies\"@if (;if [?if e@if i@if n?if s@if t?ifac@iffe@ific;ifie<ify @iges>ighl@ight:igin@igna=" +
	"igne>igur?il {?ild ?ild(Ailde;ile <ile.?iled@ilenAiles>ilit?ill =ils @ilte?imag?ime ?ime-?ime.@imeo@" +
	"imes?imit?impl=impo<in a>in s@in t<in: @in_t?inal>inar@incl;ind @inde<indi?indo<ine :ined=iner>ines?" +
	"info=ing\n=ing 7ing\"=ing(>ing)>ing,=ing-@ing.<ing:>ing=@ing_Aings=inin@init<ink @ink\"@inli?inpu=inst;" +
	"int ;int(@int)@int3Aint6@inte9intf?into=inue@inux>io.g>ion\n>ion 7ion\"<ion(:ion)@ion,>ion-@ion.:ion/=" +
	"ion:;ion=>ion>>ionR?ionS>ion_=iona<ions8ipti;ipto<irec=ired>iron@irst=is a>is c@is d@is f?is i>is n>" +
	"is p@is r@is s>is t?is._@is/g>isab?ise >iso_>ispl>issi?issu=ist >ist(Aiste=isti?isto@istr<itFi?itch@" +
	"ite @item>iter<ith ;ithm?itho@ithu:itia?itio;itle>itor>its ?ity ?iv c@iv>\n@ivat=ive >iven@izat>ize >" +
	"ize(@ize:?ized?j.TY?java<ject:json>justAk() @k-fo@kChe@kage<ken @kend@ker @key >keys@kgro?king?know?" +
	"ksys?l\n  ?l = @l be@l co@l na=l {\n>l\": ?l#xsAl) {@l/liAl:la9l:paAl;\n @lGoS@labe@labl@lace>lags?lainA" +
	"lang8lass8last>late;lati?lay:@lbac?ld b@ld0_?lder;le\n @le i@le t@le, ?le-c>le.\n@le.c=le.p<le: >le=\"?" +
	"lean>leap=lear@leas=lect<led >left>leme;len(?leng<les >less@lete>leve?lf, >lf._<lgor?li>\n?li><?liasA" +
	"lib.?libr?libt@libx?lic <lica>lice<lici@licy>lid @lida>lide@lien;ligh?lign?limi@line;ling>link<lint@" +
	"linu?list<lite@lity?lize>ljs->ll b?ll n=ll r@ll t@ll) @llGo@llba?llec@lled?lloc?llow>lly >load<loat?" +
	"loba?loca<lock=long?loop@lor:<lose@loud;low @lowe@lpha>lse\n=lse =ltIn@lter>lude;lue =lue\"?lue)?lues>" +
	"m th?m.go<m/go<m>\n @mage>mail@main>make>mal;?mana?mand=marg>mark?mary=matc>mati>matrAmay ?mber:md\",@" +
	"md64?me =?me _>me\":=me, >me.m@me: <me=\";medi@memb@memo@ment5meou@merg@meri?mes @mesp@mess=mest@meta?" +
	"mete=meth<micr@mime?miss?mit Amit/@mksy?ml\">@ml#xAml/lAml:l9mman=mmar=mmen7mmit=mmon@mode?modi@modu>" +
	"more@mory@move=mpar?mpil?mpla>mple;mpli@mpor<mpre@mpty?mput?mult@must?n\n\t\tAn\n  <n = ?n a ?n an?n be>" +
	"n cl<n co?n fa@n in=n is?n of?n onAn re?n se?n th:n to?n {\n?n\": =n't ?n(){?n(a)?n(a,?n.pr>n.v1@n:\n >" +
	"n: \"?n=2.@n>\n ?n></?n><s@nReg@nSum?n_na@n_to?nabl>nage>nal =nal/>nal_?nalsAname6nary?nati@natu?nc (@" +
	"nc s@nce =nce(?nclu;ncod>ncti8nd\n\n?nd\n >nd a?nd cAnd i?nd s@nd t>ndar?nded@ndef>nden?nder<ndex;ndif?" +
	"ndin?ndit@ndle=ndow<ndpo@nds @ne G>ne:\n@nect?ned =need>nentAnera;net/?neve@new =next>nfig<nfor?ng\n @" +
	"ng a>ng c@ng f@ng i?ng o@ng p@ng s?ng t<ng wAng) @ng, >ng.O>ng.S?ng: @ng=\"9nge >nged@nges@ngth<ngua?" +
	"nil >ning<niti=nkno@nlin>nloa@nly >nmen?nnec?nner?nnin@nnot@node<none?norm>not ;noti@nown?nput<ns a?" +
	"ns t?nse >nse-@nse.@nserAnses@nsfo?nsio>nsla?nst <nsta;nste@nstr>nt\n @nt i?nt t?nt x9nt) Ant, ?nt-s>" +
	"nt-w?nt32@nt64@nt>\n9ntai<ntat=nted?nteg>nten<nter9ntex=ntf(@ntia>ntic@ntif@ntim?ntin?ntit?nto @ntot>" +
	"ntri?ntro?ntry=nts =nts.@null<num ?numb;nume?nux/@nval?nver@nvir@o\n  >o --?o a Ao be?o in@o re@o ruA" +
	"o th<o\",\n?o.at>o.gi>o.li@o/co?o/is@o</cAo@2.@oSta@o_63?o_at?oad,@obal?obj.=obje<obuf<ocal=ocat=oces?" +
	"ocke=ocks@ocol@ocum<ode ;ode(@ode.?ode:@ode==ode>:ode_@odes@odif?odin?oduc?odul=ody @ody:@of a>of t:" +
	"offs@ofil@oft.?oftw?ogle9ogra>oid =oint<ojec@oken<olan>olde@olea?olic=olle@ollo@olor;olve@om t@om.g<" +
	"om/AAom/g<ome @omma=omme7ommi=ommo@ompa>ompi?ompl>ompo@ompr@ompu?on\n ?on a>on c@on d@on f?on i>on o>" +
	"on s@on t=on {@on\":>on()=on(a=on(e@on, >on.\n?on.p>on.v@on:\n?on: <on=2@on>\n?onRe?onSu?on_n@onal<ondi@" +
	"one\n?one >one:@onev@onfi<ong @only>onme@onne?ons <ons\"?ons.>ons/?ons:@onse<onst:ont-<onta<onte;onti@" +
	"ontr>onve@oogl9ool ?oole?ools@open>oper<opti;opyr>or\n @or (Aor _@or a>or c?or e?or i>or m?or o@or r@" +
	"or s?or t=or)\n@or, ?or: <orag>orde=ore =ore.@ores>orf(Aorg/<orig@orit>oriz?ork @orks@orm Aorm:Aorma;" +
	"ors @ors.?ort ;orte?orts?orwa@ory @ose >osit=osof>ost @ot iAotatAothe=otic@oto.>oto_?otob<otoc?ototA" +
	"otypAoud->oud.>ould=ound;ount<oups?our ?ourc:out =outp=ove @over<ovid?ower?own @ows ?p = @p.Fr@p.To@" +
	"p://>p>\n<?p>Th@pAMD<pace>pach@pack<padd>page?pan <pan>;pand@para:pare<pars<part?pass>path;patt?pdat=" +
	"pe =?pe\":<pe: =pe=\"?peat@peci<pecs?pect=pede?pena>pend<peof@pera>perm?pert=pes.?pha_?pi-s?pile?ping?" +
	"pis/>piv1?plac>plat=play=ple @plem?plet@plic<plit?poin=poli@pons<port9pose@posi=ppen=pper@ppli=pplyA" +
	"ppor=pr 2Apre>@prec@pred=pref?pres<prev?prin=priv>proc?prod@prog>proj?prop=prot:prov>ps:/:ps=\"?ptio8" +
	"ptor<publ<push?put >put\"AputA@pute@px;\n>pyri>qual?quen@quer?ques:quir<r\n  =r !=@r --@r />@r 20@r :=?" +
	"r = >r __Ar a Ar an@r bu?r co?r ex@r in>r is@r of@r re?r th<r to?r {\n?r() @r(--@r)\n\t@r/re@r:\n @r: #>" +
	"r=MI@r><t@rCla@rabl@race@rack@ract>rage=rais>ral @rallAram >rame<rams?ranc@rand@rang>rans<rant@raph?" +
	"rapp@rary>rate;rati;rato;rbos@rce >rce-@rceD?rces@rchi@rder=re a?re c@re i?re t?re-r?re-s@re/a>read;" +
	"reak?ream?reat;reca@reco@rect<red >rede?redi<ree @ref:Aref=;refe>refi?refs@regi>rela@rele>remo>renc<" +
	"rent<repe@repl?repo=repr?requ:res ?rese=reso<resp=ress<rest<resu<retu7revi?rf(\"Arfac?rget>rgin=rgs[@" +
	"rgum>riab?rial?rian@ribu;ride?ries?rifi<righ<rigiAring8rint=ript9rite=rith?rity>riva=riza@rmal>rmat<" +
	"rmis@rn _@rn a?rn cArn f?rn i@rn n@rn s?rn t=rnal;rned?rnin@rns ?roce?rodu?rofi@rogr>roje@rom <rom(@" +
	"rom.@ronm@root?rope=ror >ror(>ror)?rorf@rors>roso>roto:roun>roup<rovi>row @rows@roxy@rr !@rr :@rray=" +
	"rren>rrid?rror9rs:\n@rser@rsio:rst @rted>rtie?rtif=rtio@ruct<rue\n>rue,@run ?runt@rved@rver=rvic>rwar@" +
	"ry\n\t?rypt>s\n  <s = <s a =s alAs an=s ar>s be@s ca@s co?s de@s fi@s fo>s frAs in=s is?s li@s no=s of=" +
	"s on@s or@s pr@s re=s so@s th;s to<s us@s wh@s wi?s {\n@s\": <s)\n @s);\n@s.\n\n?s.\n >s.Re@s.ht?s.vs?s/go>" +
	"s/sp@s:\n ;s://:s;\n ?s</a@s=\"d@s=\"h=s=\"p?s=\"t@s[0]@sa.O<sa.V@sa.v?sabl?sage;sameAscal<scapAsche?scop@" +
	"scri9sdk-?se\n >se -@se a@se f@se i>se o?se s?se t=se {?se\":@se()@se(b@se, ?se-h@se-o@se.\n@se:\n@sear?" +
	"sect>sed <see @sele?self9sent?sequ@ser @seri@sert=serv<ses ?ses:?set =set_@sfor?shal@shap?shar?shif@" +
	"shor?shou>siblAside?sign;sing<sion8siteAsiti>sito@size;sked>slat?slic@slt-@so_6?sock@soft=solv@some@" +
	"sona@sort@sour:spac>span9spec;spla>spli?spon<ss _@ss=\"9ssa.;ssag;ssed@sser=sses@ssig@ssin@ssio=ssue=" +
	"st\n @st -@st b?st c@st o?st tAst, ?st-a?st.g?st: @stRe@st_c?stac=stal>stam@stan<star>stat9std:?sted@" +
	"stem>sten?step@ster=stin=stor<stra@stre@stri9stro@stru<stry?sts @styl<subs@sues?sult;summ?supp=sure?" +
	"swit@sync@sys/?sysc<syst?t\n  <t 20At = <t a @t an?t be>t ca?t co>t fo?t ha@t in=t is=t no@t of=t pa@" +
	"t pr@t re>t seAt st@t th<t to=t usAt vaAt wi?t xm9t {\n?t\",\n@t\": >t)\n\t@t)\n @t);\n@t, s@t-ap?t-si@t-st?" +
	"t-we?t.\n ?t.az@t.go?t:\n >t: nAt;\n @t</c@t>\n 8tAtt>tEleAtFie?tIteAtRes@t_co@tabaAtabl<tack<tada@tail?" +
	"tain<tall>tamp@tanc=tand@tant?targ>tart=task@tasn@tate=tati9tatu>tch >tch(@tche@td::?td>\nAtd><>te a@" +
	"te t?te, @te:\n@te; @teSt?tect@ted :tege@tegrAtem ?temp=tems@tend?tens>tent<ter <ter\"@ter(@ter,@ter.A" +
	"terC@ter_@tera;terf?term>tern:ters=tes =tes.=test8text:th a@th t>th:\n@th: @th=\"@thanAthat;the\n>the 5" +
	"then<ther;thin@this8thod<thon@thor=thou@thre@thro>thub:tial<tic >tica>ties>tifi=tils?time;ting:tinu@" +
	"tion3titl>tity@tive<tly @tml\"?tml#?tml/?to a>to b?to c@to d@to i@to r@to s?to t<to u@to.a>to_a?tobu<" +
	"toco@toke=tool?top:@tor =tor(@tor,@tor.@tora=tore<tors?tory=toto<totyAtp:/>tps::tput<tr><?trac>tran<" +
	"trea?tree@trib;tric?trie@trin8trix@trol@truc<true;try\n?try @ts a?ts t?ts: @tter=ttes;ttin@tton@ttp:=" +
	"ttps:ttri=tual?ture<turn7twar?twor@tyle<type7uage?ub.c;ub.i>ubli;uch @uct >ucti@ud-g>ud.g>ude <udio@" +
	"ue\n\tAue\n ?ue\":@ue, ?uenc@uery>ues @ues/@uest:uf [@uf[:@uffe>uild:uint>uire<ularAuld >ules@ull @ull)?" +
	"ull,@ult >ulti?ults@umbe;umen:umer?umma=unc <unc(@unct8und ?und-@unde=unti?upda?uppo=ups=?urat>urce:" +
	"ure >ure-=ure.@ure/>ures?urn 7urns?urre>use =use(@use-@used=user=uses?ush(@usin>ust >ustoAut tAutAt@" +
	"uted@uter>utes@uthe@utho=util>utio>utor=utpu<utto@v cl@va.l=vali<valu9var :var(@vari>vate>ve t@ved @" +
	"ven ?vent<ver =verb@veri>vern@verr?vers:vert@vice=vide>view?viro@visi@void<vsa.?w.gi@wadl=want?ward?" +
	"ware?was @waysAweig?when>wherAwhic>whil@widt>will=wind=wing@witc@with:wner@word>work=wrap?writ=ww.g@" +
	"www.=x-msAx000?x3C\\@x3E\\@x61\\Ax65\\>x69\\@x6E\\@x6F\\@x72\\Ax73\\@x74\\?x;\n ?xamp>xcep<xecu@xist@xit @xml:9" +
	"xpan@xpec>xpor>xpre@xslt;xten<xter?y\n\t\t?y\n  >y = @y a @y in@y of@y th>y toAy:\n @y: \"Ay>\n @y_ty@yle:@" +
	"yle=@you >your@ype ;ype\"=ype(@ype)@ype,@ype.@ype:=ype==yped>ypen>ypeo@ypes<ypto@yrig>ysca<yste>yte;@" +
	"yteSAytes=ytho@yworAzati>ze: @zure;{\n\t\t9{\n  6{ re@{ va@{\"sh?{\"ty@{if(@{ret={var=|\n\t\t>|\n  ?||\n\t>}\n\t\t=" +
	"}\n\n\t>}\n\n <}\n\n.>}\n\n/>}\n\nf?}\n  9}\nfu?}\n}\n?} el?});\n@},\n\t>},\n :}fun@}}\n ?~ /^>~~~~?"
