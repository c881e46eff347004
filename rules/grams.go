package rules

import "math"

// Words make some sequences of four bytes far more frequent in text than their
// pairs tell: "type" is not what a "ty" happens to stand before a "pe" for. So
// beside the frequencies of pairs there is a list of the most frequent
// sequences, measured once over some 50 MB of source code in two dozen languages,
// of configuration and of prose, no file more than 40 KB of it. It steers speed only, as the pairs do.

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
	"\t\t\t\t8\t\t\t B\t\t\t\"?\t\t\t*C\t\t\t/B\t\t\t<B\t\t\t\\A\t\t\tc@\t\t\teB\t\t\tfC\t\t\ti@\t\t\tnB\t\t\tpB\t\t\tr?\t\t\tsB\t\t\ttA\t\t\t{C\t\t\t}>\t\t  @\t\t$2C" +
	"\t\t//@\t\t0xC\t\t<cB\t\tSKA\t\t\\ C\t\tcaB\t\tcoB\t\tcsA\t\tdeC\t\tif>\t\tnaA\t\tre=\t\tt.@\t\ttyC\t\tvaC\t\t{\nB\t\t{0B\t\t}\n=\t\t},@\t   >\t * B\t$2 C\t// ;" +
	"\t@arC\tADCA\tADDB\tBYTC\tComB\tConB\tJMPA\tMOV=\tPADA\tPXOB\tSKL@\tXORB\tcasA\tconA\tcse@\tdefB\techB\terrB\tfor@\tif ;\tlib?\tnamA\tret;\tstrC\tt.EC\tt.FB\ttypA" +
	"\tvarA\t{\n\tA\t{0xB\t}\n\t;\t}\n\n>\t}\n}@\t} eC\t},\n?\n\t\t\t8\n\t\t B\n\t\t\">\n\t\t$B\n\t\t/A\n\t\t<B\n\t\tCC\n\t\tS@\n\t\taA\n\t\tc?\n\t\tdC\n\t\teA\n\t\tfB" +
	"\n\t\ti?\n\t\tmB\n\t\tnA\n\t\tpC\n\t\tr>\n\t\tsB\n\t\tt?\n\t\t{?\n\t\t}=\n\t  ?\n\t *A\n\t\"gB\n\t//;\n\t0xA\n\t@aC\n\tAD@\n\tBYC\n\tCoC\n\tJMA\n\tMO=\n\tPAA\n\tPSB" +
	"\n\tPXB\n\tSHC\n\tVPA\n\tXOB\n\tcaB\n\tcoB\n\tfoA\n\tif=\n\tre=\n\tstB\n\tvaB\n\t}\n;\n\t},C\n\n\t\t?\n\n\t/@\n\n\tiC\n\n\trC\n\n\n\nA\n\n\n#B\n\n\ncB\n\n\ndC\n\n  7" +
	"\n\n *A\n\n\" C\n\n# >\n\n##=\n\n#dA\n\n#i@\n\n* B\n\n- @\n\n..C\n\n/*>\n\n//<\n\n=iB\n\nCRB\n\nIfC\n\nTEA\n\nTh?\n\n``?\n\nclA\n\ncoA\n\ndeA\n\nex@\n\nfrC\n\nfu=" +
	"\n\nifC\n\nimB\n\npaC\n\nsuC\n\nsyC\n\ntyB\n\nvaB\n   0\n  \"<\n  #@\n  'C\n  )B\n  *?\n  ->\n  /:\n  <:\n  ]C\n  a@\n  b@\n  c=\n  d>\n  e?\n  f?\n  gB\n  hA\n  i=" +
	"\n  lA\n  m?\n  nB\n  o>\n  p>\n  r=\n  s?\n  t>\n  uB\n  v@\n  wC\n  {C\n  |B\n  }<\n *\n>\n * 9\n */>\n#\n#>\n#  >\n# CA\n# LB\n# SA\n# TA\n# UB\n# WC\n# YC\n# d@" +
	"\n# lC\n# yC\n## ?\n###>\n#de;\n#en?\n#if?\n#in?\n)\n\nA\n* `B\n- [A\n- `B\n-- C\n---B\n.. B\n/*\nB\n/* ?\n/**>\n//\n@\n// 9\n///@\n113B\n114B\n119A\n120A\n123B" +
	"\n124C\n125C\n126?\n127B\n128C\n129B\n429C\n704B\n</dC\n<a B\n<li>\n<p>A\n===A\n=itB\nALTB\nAS C\nCREA\nDATA\nGLOA\nIf C\nLANC\nRETC\nTEXA\nThe@\nThiB\n```=\napt@" +
	"\ncla@\ncon=\ndecB\ndefA\nexp<\nextB\nfro?\nfun<\ngitB\nhi B\nif @\nimp>\nintA\nmenA\nmesA\nmodC\nnamB\npacB\nsetA\nstaB\nsubB\nsyn>\ntheC\ntyp?\nuseC\nvar?\n{\n @" +
	"\n}\n\n:\n}\n/A\n};\n@ \n  A  \n B   \nB    ,   !C   \"6   #;   $=   ';   (=   )?   *9   -9   .@   /:   0?   1@   2A   3B   4B   5C   :?   <;   ==   >C   @A   A?" +
	"   BC   C?   D@   EB   FA   GB   I@   LB   MB   NB   O@   P@   R@   S?   T>   UA   WB   X?   YA   [?   \\?   ]?   _@   `A   a<   b=   c:   d;   e;   f<   g>   h=" +
	"   i9   jB   kA   l=   m<   n=   o=   p:   r8   s9   t:   u=   v=   w=   xA   {=   |>   }8  \"\">  \"$B  \"@B  \"a?  \"bA  \"c@  \"d=  \"e@  \"f@  \"gC  \"h@  \"i@" +
	"  \"kB  \"l@  \"m@  \"n?  \"oB  \"p?  \"r>  \"s?  \"t=  \"uB  \"vA  # :  $ C  $0@  $rB  '\\C  (rB  )\n@  *\n@  * :  */=  - 9  --A  ..B  /*<  //9  0x?  : B  </?" +
	"  <aB  <c;  <d@  <lB  <s@  = =  CoB  IfA  R1B  ReA  SKC  SeB  Th>  ToC  \\\nA  \\ A  ]\nA  ],?  __C  adB  alB  anC  apA  ar@  as@  atB  baA  bo@  br@  buB  ca>" +
	"  chA  clA  co:  crC  daB  de;  di@  doA  ec@  el>  en>  ex>  fi?  flC  fo=  frC  fuB  geA  go@  haC  he?  hiB  htA  idC  if9  in=  isA  itC  laA  le@  liA  lo@" +
	"  ma>  me@  moC  my@  na>  neA  noA  onB  op>  ouA  pa=  peB  poB  pr=  pu?  raA  re8  ru?  scA  se<  siB  spC  st=  su@  taA  te@  th<  tiC  toA  trA  ty>  uiB" +
	"  unA  us?  va=  veB  whA  wi?  x-C  {\n>  { @  {\"C  |\nC  | >  }\n9  } ?  })@  },;  };@ !!!A != < !==@ \"\"\"= \"$rC \"${> \"./@ \"0\"B \"1.C \"ASA \"LiA \"ReB" +
	" \"ThB \"apB \"arB \"baB \"co@ \"de> \"enB \"exB \"fiC \"foC \"gi? \"goB \"ht> \"idB \"in? \"keB \"liA \"loB \"maB \"meC \"na> \"noA \"pa@ \"pr@ \"quB \"re> \"scB" +
	" \"seC \"shB \"soB \"st? \"taB \"teA \"ty> \"urC \"veB #  @ # 'A # TB # vB $ {C $0x> $8\nB $liA $reA $seB $thB ${{@ %v\"B &&\nA && = 'MOC '\\uB 'coC 'gsC 'inB 'reC" +
	" 'stB (\n\tA (\n A () A ([#B (__C (coA (deB (e.B (erB (inA (isC (meC (noC (r'B (reB (seC (stB (th? (tyB (vaC (x B )\n\nB )\n A );\nB *\n = *  = * \"C * <C * @<" +
	" * AB * CA * IC * RB * SB * T@ * `B * aC * cB * dA * tB */\n: *teB + 'C + 1B += ? +opB - \"A - 1A - AC - TB - aA - cB - dA - gA - iC - n> - pB - rB - sB - tB - uA" +
	" - vB -*-B -- A ---C -->B --cC --pC --rC -> ? -o C -v C ...@ ./.C /* = /**= //\nC // 9 ///@ />\n@ 0\n C 0 0B 0 {B 0)\nB 0) A 0,\nC 0, > 0;\n? 0; B 0x0= 0x1> 0x2?" +
	" 0x3B 0x4? 0x5@ 0x6< 0x7> 0x8A 0xfC 1\n B 1, A 100A 1;\n@ 2, C 2.0@ 200A 201@ 202A 2;\nB 3;\nC : 'C := ; <!-C </dB << B <= A <a A <co: <diB <liA <sy@ = \"= = $A" +
	" = '? = (? = 0= = 1= = 2? = 3@ = 4B = 5C = NA = [? = _A = a? = bA = c? = dA = eA = f> = gB = i@ = lA = m@ = n> = oA = p? = r> = s= = t> = uA = vA = {? == < ====" +
	" => < =~ C > 0B >= A >> C >>>C @deC @pa> @prB @re@ ANDA ANY@ API? AS C ASNB AX\nC Add? All@ An C AnyC ApaA AppC ArgB ArrA AutA BASA BYTB BasC BufC BuiB CAPC COMC" +
	" CON@ ChaA CheA CloA CodB Com@ Con> Cop? Cre@ DO B DatB Def@ DepB DesC EDIB Err@ ExaB ExpB FILC FORB FUN@ FalC FilB FixA For? GNUC GenA Get@ Go B GooA HTTB ID C" +
	" IMPC IN C INTC IS\"A If = In C IncC InsA IntB It A JSOA KINA KeyB LATB LET@ LICC LLVA Lic< LinC LisA MatC NOT@ NULA NamA NewA NodA Non? Not@ NumC OF ? OPE@ OR ?" +
	" OUTB ObjA OpeA Opt@ PAR@ PROA PR_? ParA PerB PlaB PreB Pro> PubB PytA R10A R11B R12B R13A R14A R15C R8\nB R9\nC RODA ReaB RegB RemC RepB ReqA Res@ Ret@ RunB SAFA" +
	" SKLC SMAC SSLB STRA See? SerA Set@ SigC SofC SpeB Sta@ Str@ SwiA THE@ THIB TODC Tes@ The: Thi< TimC To A TraB TruB TypA URLA USEB UinC Uni@ UnlB Use? ValA Ver?" +
	" VimB WAR@ WIT@ We C WheA WinB WorB X8\nB XMLB You@ ZSTC [\n\tB [\n > [[ C []bB []sB \\\n\t@ \\\n ? ]\n A ],\n? ]; C _, A __NA __fB __iB `jsB `prB `reB a\n C a bA" +
	" a c> a dA a f@ a gB a l@ a mA a n@ a p? a r@ a s= a tA a vB abo? absB acc> act> add= aftA agaC agrA algC aliA all< alrB als@ altC alwB an ; and8 any= api@ app=" +
	" are; arg< arr@ as ; ass> asyB at\nA at ? att> aut> avaA awaB bac? bas> be\nC be : becB beeA befA behC beiB belB betA bin@ bit@ blo@ bodA boo= borB botA braA bre@" +
	" broB buf? bui> but? by ; byt? cac@ cal= can; capB cas> catB cerA cha; che> chiC choB cla; cleA cli? clo@ cluC cod= col> com: con7 cop> cor@ cou@ covC cre= cte@" +
	" cur> cusA dat< de A debB dec> def: del@ dep= des= det? devA dicC dif@ digC dir> dis< do @ doc> doe? don@ douC dowC durB eacA ech? ediB eit@ eleA eliC els= emp@" +
	" enaA enc> end= ent? enuA env? equB err: escC eve> exa> exc> exe@ exi> exp< ext= fai? fal< feaB fetC fi\nB fie= fil: fin? fir? fixA fla? floA fmtB fol? fon@ for8" +
	" fou@ fraC freA fro; fulB fun; gen> get< git@ giv? glo@ go @ go-B goo? gotB gov@ graB greB gro? guiB han? has= hav> hea? hel? herA hi B higC hooC hosA howB hre<" +
	" htt< i <C i =C id=A ide@ if 8 if(B ignA ima@ imp< in\nB in 8 in:C inc> ind> inf> iniA inp? ins< int9 invA io.B is\nB is 8 is_C issA it < it.C ite? its@ javB jobC" +
	" jsoA jusB key< kinB knoC kubB labA lan? las@ latA lawB lea@ lefC len> let@ levB lib> licB likA lim@ lin< lis= litA loaA loc> log? lon@ looA lowC macA madC mai@" +
	" mak? man? map> mar@ mat< max? may= meaB mem@ merB mes> met= migC min@ misB mod< mor? mosC mp_C mul@ mus> my @ nam9 nee? netB new< nex@ nil< no ? nod> non? nor@" +
	" not: nowB npmC nul> num< obj< obtA of\nA of 8 off? ok C oldB on < one> onl> ope> opt; or : ordA oriA os.B ossB oth> out= ove@ ownB pac? padB pagA par; pas? pat<" +
	" pegA per= pg_B pipB pla@ pluB podB poi@ pol@ porA pos? pre< pri= pro9 pub> pulB pusA que@ raiA ran? rawC rea= rec> redB ref> reg> rel> rem? rep< req: res: ret8" +
	" revB rigA rolC rooA rouB rulB run< sam? scaA sch@ scoB scr@ seaB sec> see@ sel; sen@ sepC ser= set< shaA shiA sho= sig? simA sin? siz> sk_A skiB so @ socC sof@" +
	" som@ sou> spaA spe< src? sta; stdA ste@ sto@ str9 styB sub> suc@ sup= surC symB synA sys? tab@ tag@ takB tar? tasC tem@ terA tes< tex> tha: the4 thi9 thoC thr>" +
	" tim= titB to\nA to 7 tok@ tooA topB tra> treA triB tru; tryA twoB typ: ubuB uin> und< uni@ unkB unlB uns@ up A upd? urlA usaC use9 usi? utiC val: var= ver< viaC" +
	" voi> wan@ warB was? wayC we ? whaB whe< whi= whoC widA wil< winA wit9 wor> wouB wraC wri> xml: you; zerB {\n\t8 {\n 7 { rA {coC {}\nB |\n ? |\n|C | \"B | 'C | nB" +
	" | sC | uA |-\nC ||\nA || = }\n\n< }\n : }\n}@ } e@ } fA })\nB });@ },\n; };\n? }}\n@!!!!=!-- C!= 0C!= n>!== @\"\n\t\t=\"\n\t\"@\"\n\t}B\"\n\n\tB\"\n\n @\"\n  8" +
	"\"\n)\nC\"\nsyB\"\n}\nB\"   B\" \"$C\" />A\" BAB\" clA\" coB\" hrB\" nuA\" {\nA\" | B\"\"\n\nA\"\"\n ?\"\"\"\n>\"$reC\")\n\t@\")\n @\"),\nB\");\n>\",\n\t=\",\n 8" +
	"\", \"=\", eB\"../A\"/>\n?\"0\"\nB\":  C\": \"8\": [>\": fC\": tA\": {;\":{\nC\";\n\nB\";\n A\">\n @\">\n<B\"></A\"><cB\"><sB\">xsB\"AS A\"LicA\"TheB\"],\nB\"],[B" +
	"\"`\n\tB\"appB\"cloC\"comB\"conA\"defC\"des?\"devC\"docB\"filC\"git>\"gooC\"hljB\"htmC\"htt=\"id\"B\"intA\"keyB\"linC\"locB\"nam>\"navA\"nodC\"parB\"patA\"preA" +
	"\"pro@\"queB\"refA\"repC\"reqA\"resB\"shaA\"souC\"staC\"str?\"tesA\"texC\"typ>\"urlB\"valC\"verB\"},\n@#\n# >#   >#  0B# CoA# LiB# SeB# Th@# UnC# YoC# deB# diC" +
	"# liC### >####:#def;#end?#ifdA#ifnC#inc?#xslB$0-0A$0x0A$8\nDB$libA$refA$selB$thiA${{ ?%v\",B&&\n\tC&nbsC'\n  ='\nLAC'   A' + B' =>A' | C')\n\nC')\n ?') {B'),\nC" +
	"');\n>',\n\tB',\n ;', '<':\n B': '@';\n\nB';\n A'CURC'MODC'],\nC'httB(\n  =('CUC()\n\t@()\n\nA()\n ?() =A() {=())\nA(), A(): A();\n>(*reC(...C(0, B(FP)B(SB)<(SP)C" +
	"(argA(con>(ctx@(datB(defB(e.gC(err?(filB(funB(htt<(int@(keyA(mesB(namA(nodB(objA(opt@(ossA(parA(patA(proB(reqA(resA(sel>(sk)@(sk,C(staB(str@(t *B(t, B(theA(thi?" +
	"(typA(unsC(val@(voiB(x *C)\n\t\t<)\n\tMC)\n\ti@)\n\trB)\n\t}>)\n\n\t@)\n\n\nA)\n\n =)\n\n#@)\n\n/B)\n\nTA)\n  9)\n# C)\n#d?)\n* C)\n- @)\nGLB)\nREC)\n{\nB)\n}\n?" +
	")   B) !=B) &&A) ((C) + B) - B) ->B) //B) : C) = A) ==A) =>>) ? C) OPC) PAC) anB) coB) erC) inB) reA) {\n8) { A) ||A))\n\t@))\n\nA))\n @))\n#A)) {?)))\nA));\n?" +
	"),\n\t@),\n >), (C), R?), XC), oB),NOA).\n\nA).\n A)/8,B):\n <): PC): vB);\n\t?);\n\n<);\n 9);\n#A);\n/B);\ncC);\n}?); /C); eB); }C)</cB)OPEC*\n  <*\n *<*   >* @p>" +
	"* @r@* CoB* DeC* ReA* Th?* coB* deA* thC**\n <****8*/\n\tB*/\n\n?*/\n <*/\n#@*/\neA*tesB+optB,\n\t\t:,\n\t\"A,\n\t0A,\n\t}A,\n  5,\n# B,\n//C,   ?,  #A, \"\"C, $8B" +
	", $lA, 'cB, 'sC, ..C, 0)B, 0,@, 0x9, 10C, AXB, INB, R1>, R2C, R8B, R9B, ROA, VeA, X1B, X5C, X7C, X8B, Y1@, []C, __C, an>, arB, asB, bu@, caB, clC, co?, daC, de@" +
	", eiA, enB, er=, exA, faB, fiB, foC, fuA, ifB, in=, isC, itA, keC, leB, liB, maB, meB, naB, neC, niA, noB, op?, or@, osC, paA, prA, re>, se@, siA, so?, st?, suB" +
	", teB, th=, toB, trB, tyB, uiB, unB, usB, va@, weC, wh@, wiB, yoB, {\nB,$0-A,NOSA,[0,B,omiB-\n  A- ThC- coB- deB- goB- na>- reB- usB-*- B--\n\nC---\nA----6-->\nB" +
	"-0\n\tA-2.0A-actB-colB-comA-con@-datA-expC-filB-forA-genB-keyB-latA-linA-modC-namB-on:B-parB-pro@-repC-serC-staB-strC-styB-tesB-typ@-urlC-ver@.\n\t\tA.\n\t/B.\n\n\nB" +
	".\n\n =.\n\n#?.\n\n=B.\n\nTB.\n  9.\n *=.\n#\nA.\n# ?.\n* C.\n//>.\nfu@.\ntyC.  AC.  IA.  T?. */@. AlB. FoB. If@. ItB. SeB. Th=.\"\n B.\"\"\"A.\",\n@...\nB....@" +
	"./..B.0\n A.0\n#C.0 (A.0\"\nC.0\",A.0.0?.0.1A.000C.1\n C.1\",C.1.0B.1.1C.</p@.AddB.Con@.DesC.Err?.FatB.GetA.IntC.MesA.NamC.NewA.PoiC.ProB.RelC.ResA.StaC.StrA.T) C" +
	".TypC.ValB.addA.apaA.apiA.appA.argB.attA.bazA.buiB.calB.com9.con?.corB.creC.datC.defA.devC.expB.filC.forB.freC.froB.g. B.get>.git?.golC.goo?.h>\n@.hasB.htm=.intA" +
	".io/?.joiB.js B.js\"@.js'C.jso@.k8sC.keyB.lanB.len?.locA.log@.mapB.metC.modC.nam@.netB.opeC.optB.org<.outB.parA.patB.pcmB.preA.pro=.pusA.reaB.repA.resA.setA.sliC" +
	".sta@.strC.svgC.tesA.txtA.typA.v1.B.valA.wriB/\n  </\n#dA/\n//?/\nexA/   ?/ +oB/ CoA/ DeB/ ReA/ SeC/ Th?/ coC/ inC/ reB/ thB/*\n B/* cC/**\n</** A/...C//\t\tC//\n B" +
	"//\n/?//  ?// +A// AA// C?// DA// EB// FB// GC// I@// LB// MB// NB// OC// PB// R@// S@// T>// UB// WB// a@// cA// dB// eB// fB// iA// lB// mC// nC// oB// pB// rA" +
	"// s@// t@// wB///\tB/// ?////@//bcC//gi<//ww>/8, B/>\n ?/>\n<B/LICA/a>\nC/a> B/a><=/api@/awsC/bcrC/binA/bloB/cheB/cloC/cod=/com:/con?/defB/devA/disC/divA/doc?" +
	"/famC/forB/git</gooB/indA/intB/issB/jsoC/li>>/lib@/licA/locB/maiC/modA/nodA/npmC/opeB/p>\n@/pacB/patB/pkgB/preA/pro@/pulA/setB/shaC/spa>/staB/strB/td>B/tesA/typC" +
	"/ul>C/usrA/www>0\n\tJB0\n  ?0\n11C0\n12A0   C0 (tB0 0 B0 {\nA0\"\n\tA0\"\n B0\",\n@0)\n C0) {B0);\nB0,\n B0,  A0, 0>0, RB0,\"&B0-0\nA0-9]B0.0\"B0.0.@00\n\tC00, @" +
	"000\nC000,A0000:0001A0002C01, B0;\n @0x00>0x01B0x1.A0x10C0x20B0x61C0x65A0x69C0x6eC0x6fA0x72C0x73C0x74B0x80B1\n  >1\n12B1\napB1 = B1\"\n\tB1\"\n C1\",\nA1);\nB1,\n C" +
	"1, 0@1.0\"B1.0.A1.1.C1.2.C10\n\tB10, @1000A11\n\tB11, B1111B12\n\tC12, A1234B1265@13\n\tB13, A14\n\tB14, A15, B1;\n\nC1;\n @1betA2\n  @2\n#dC2\n12B2   B2 = A2\",\nB" +
	"2, 0?2.0\n@2.0 A2.0.B2000B2022C2;\n B2_FMB3\n  B3\n12B3, 0@32 =C32, C32_FB32_tC4\n  @4\n#dB4\n12A4 = B4, 0@4.0.C5\n  B5\n12B5, 0?509_B5555A6\n12B6, 0B64 =C64, B" +
	"65, A6e, C6f, B7\n12B7, 0B73, C74, B8\n\tPC8\n11C8\n12B8\nDAB8, $B8, 0B8, XC8000B8859C8ArrC8s.iA9\n12B9, 0A:\n\t\tA:\n\n @:\n\n`C:\n  7:   =: \".B: \"1C: \"AC: \"IC" +
	": \"RC: \"SB: \"TB: \"^?: \"aA: \"bC: \"cC: \"eC: \"gA: \"hA: \"iA: \"nA: \"oC: \"pB: \"qB: \"s?: \"tB: ${@: '#C: '\\C: 0,A: 10B: ArC: CoB: PrB: ReA: SeC: ThA: [\n?" +
	": []A: ac@: anA: bo?: coA: deB: fa>: goA: ht@: inB: maB: noA: nu>: re@: seC: st<: thA: tr=: ubC: unB: voB: {\n;: |\n@: |-C://bB://cB://dB://g<://nC://w>:= mC:= pC" +
	":= rA:= sB:amdB:lan;:{\n C;\n\t\t?;\n\t}B;\n\n\tA;\n\n ;;\n\n/@;\n\nCB;\n\neC;\n  6;\n# C;\n/*A;\n//A;\nALC;\n``C;\ncoA;\nex>;\nimA;\n}\n<;\n};A;   B; //B; erB" +
	"; i B; th@; }\nB;\"],B<!--B</a><</co:</deC</diA</faC</li></p>?</prC</sp></stC</tdB</ulC<>(S?<TabA<a cC<a h=<br B<cod><com;<divA<famC<li>><linB<p>TC<preC<spa><str@" +
	"<sys@<td>C= \"\"B= 0 B= 0)B= 0;@= 0x?= 10B= 1;@= 2;A= 3;C= NoC= []A= coA= faA= fuA= geC= inB= maA= ne?= ni>= nu@= opC= paA= prB= raB= re>= se@= stA= th@= tr@= unB" +
	"= vaC= {\nA=\"${C=\"..B=\"deC=\"hlB=\"ht?=\"naA=\"prB=\"reB=\"teB==\n\nB== \"A== '>== 0A== n@===\nA=== =====7=> vB=> {@=FalC=NONA=NonA=iteB>\n\t\t@>\n\t<B>\n\n C" +
	">\n  8>\n#i@>\n</?>\n<aC>\n<dB>\n<l>>\n<pA> </C> maC> voB> {\n@>(SB?>;\n A></aA></dB></l>></pB></sC></tA><a >><brC><coA><sp?>>> C>TheC>xslB?: bB?: nC?: sB@argC" +
	"@par>@proC@ret@@typBA, $AAAAABABILCABLE?ADCQBADDQAAFE;AAGE AAKE_BAL LCALIGBALL AALLEAALPHCALTEAALUECAME'BAND AANGUAANTIAANY @API @APITCARALAARCHBARRA@AS 'BAS IA" +
	"ASISBASN1@ATA\tAATA,AATE @ATEDBATHNCATINAATIOAATORAATTRBAULTBAX, BAcce@ActiBAdd AAddr@AgenCAlgoCAll AAlloAAnnoBApacAApplBArgsAArguBArra=AsseCAsynCAttr@Auth?B)\n\nA" +
	"B)\nGBB), @B),NAB)/8BBASIABILIBBITS@BLE ABLE_CBUILCBYTE?BackBBase@BinaBBitsBBlocABodyBBoolBBuff?Buil>Byte@CAPICCARDACATECCENS@CERTACHANCCMAKBCMP_ACODEBCOMMACOMPA" +
	"CONDACONFACONTBCREA@CRIPCCTIO>CURLCCach@Call@CaptCCaseBCertAChan?CharAChec?Clas@Clie?ClosBClouAClusBCode>ColoBComm=Comp?CondCConf=Conn@Cons?Cont<ConvBCopy?CounA" +
	"Crea>CredBCustBD   BD, eBDATA>DDQ ADEFABDINGCDITIADO NBDQ  ADULE@Data>DateBDecoBDefa?Defi@DeleADepeBDeprCDesc>DeviADiffCDireBDisaCDocuBE\n  AE   BE = BE C CE FUB" +
	"E ctCE-2.BEATE@EDITAEFAUBEL SAENSE@ENSS?ENT CENT_BER FCERATAERNABERROAERSI@ERTICER_ICES OAESS CESS_BES_PBETTE@ETURAEXT @EXTECE_PABEachCElem@EmptCEnabBEncoAEndpC" +
	"EntrBEnumAEquaAErro;Even?ExamAExce?ExecCExpeBExpoCExpr@Exte@F ANAFAILBFAULBFE;\nAFILE@FLAGBFMT_BFOR CFUNC?FailBFalsAFataBFiel=File=FiltBFix BFixeCFlagAFloaCFor ?" +
	"Form@FounBFreeBFrom@Func?GE CCGLOBAGNU CGN_OCGUAGAGene?GlobAGoog@Grou@HEADBHIS BHNAMCHOUTAHTMLCHTTP@Hand@HashAHead?HookCHostBHttpCI), BICEN@ICT BIES AIGHTBIGN_B" +
	"ILE BILITBIMMUCIN CCIND,AINFOBING AING_AINTE@ION >IONS@ION_@IS\" BIS,\nBIT,$AITALCITH BITHOAITIOAITS_AIdenAIf t@If yBImagAImplCImpoCInde?Info>InitAInpuAInst?Inte>" +
	"InvaAItemAIter@JECTBJMP\tBJSON?JavaBKINDAKL_T?KN_U@Key BKey(BKeysBKeywBKindCL LEAL SAALAGSCLANGALATIALEL ALETT@LE_PBLICE@LIGNBLIT,ALITYBLL LCLLELALLVM?LOBLALOG2B" +
	"LONGCLPHACLTERALVM_CL_CMAL_TK?L_skALabeBLangCLeng@LeveBLice;LimiALine@LinkCList=LiteBLoadALoca@LongBMAGECMAKEBMALLBMENTBMMUTBMODU@MOVDBMOVLBMOVOBMOVQ?MP\tlBMUTAB" +
	"MakeCManaBMappBMarkBMarsBMatc@MathBMess=Meta@MethAMicrCModeAModu@MultCN = CNAME>NCTI?ND, ANDITBNE cCNFIGBNGUAANONEANOSPANOT @NS OBNSE-BNSSL?NTER@NTIEANULL@NY KA" +
	"N_OFCN_U3@Name;NetwCNextCNode=None>NoteANumb?O NOBOBL\tAOCSPCODATAODUL@OF AAONDIBONE BONFIBONS AOPEN?OPERAOPTICOR  AOR CAORQ BOSPLAOSSL@OT EBOUNDCOURCCOUT ?OVL B" +
	"OVO COVQ ?Obje=OffsBOnlyAOpen@OperAOpti<OrdeCOtheBOuteCOutpAOverBP\tliBP), APADDAPARA@PATH@PENS?PERABPER_?PITACPLITAPORT@PROTCPR_B@PTIOAPXORAPackBPara?Pars?PartB" +
	"Path>PattBPerlCPlayBPoin?Poli?PoolBPrefAPrinBPrivBProcBProjBProm@Prop>Prot@ProvAPubl@PyObCPythAQ   ?Q R1BQuerCR   AR = CR COAR FUCR14\nCR8\n\tCR9\n\tCRALLARANT@" +
	"RATOBREADBREAT@REQUCRESSCRETUARICTARIGHCRINGARIPTCRNALBRNS BRODAARRAN@RRORARSIO@R_BIAR_BYBR_INCRangBRead?Reco@RefeBRegECRegeCRegi@ReleARemoAReplBRepoBRequ<ReseB" +
	"Reso>Resp>Resu@Retu?RighBRootBRoutBRuleBS 'MCS ISAS OFAS ORAS\" BBSAFEASB)\n?SB),?SB)/ASCRICSE-2BSERVBSINGCSION?SIS,BSIZEBSKL_?SL_C@SL_sASMALBSN1_@SON CSOURCSPLIA" +
	"SSL_=STATASTD_BSTRI?SYS_CS_PE?ScheAScriASectBSecuASee ?SeleBSendBSequBServ=Set ASet(CSign@Size>SockASoftBSour?Spec?Star@Stat=Stor@Stre?Stri<StylBSuppBSwitASymbB" +
	"SyncBT\n  CT   BT = BT EDBT WAAT liAT\",\nCT) {CT,$0ATA, ATABLATAL CTARGBTE  CTE FBTED CTED_BTER ?TERNATESTBTES_BTEXT@THE ATHERBTHISBTHNACTHOUATIES@TIMEBTIN BTION<" +
	"TKN_?TODOBTOR BTRANCTRICATRINATS_PATTER@TTP CTURNATYPE?Tab>ATablATargBTempBTest>TextAThe :This<Time>Toke?TracATran@TreeBTrue@Type:U32_@UAGEAUILDCULE_BULT_CUNCT?" +
	"URCECURL CURNSBUT WAUTABBUintAUnic@UnknCUnleAUpda@UsagBUse ?User@UtilBVALUCVERS@VO  CVQ  BVali@Valu<VariBVeriBVers=Vim BVoluBW   CWARR@WITH?WORDBWhenAWindAWith>" +
	"WorkBWrit@X\n\tMCX, RBX509AX8\n\tBXOR AXORQBXSLTCXT lAXXXXBY KIAYPE BYPE_AYTE AYTESAYou ?ZSTDB[\n\t\tB[\n  >[ \"$C[0,\"B[0-9B[0] B[];\nB[]byA[]stB[keyC[strA\\\n  >" +
	"\\n\",C\\uDDB\\u{1A]\n\t\tB]\n  =] = >](ht<]);\nC],\n >],[0B]: hB];\n ?]; tA]bytA]strA_ = B_ imC_(seC_ALIC_ASNB_BIT@_BYTA_CERB_CMPA_COMB_CON@_DEPB_DIRA_ERRB_FILC" +
	"_FLAC_FMTB_FUNC_INT@_KEYC_LIBB_LOGA_MAXC_NAMA_NO_C_NR_A_OF_B_OSSC_PATA_PER?_PROA_STAB_STRA_TKN?_TYPA_U32@_VALC_VERA__ iC__(sC__NRA__fuC__inB_add?_allC_apiB_argA" +
	"_attA_che?_cloB_codA_colC_com?_con>_couC_creB_datA_defB_desB_dirA_entC_errB_extA_fieA_fil?_forB_futB_get?_hasC_impB_infB_iniB_insC_int?_iteC_key@_lenB_lib@_linB" +
	"_locC_mesB_metC_modA_nam=_optA_outB_par@_pat@_preB_pro>_ptrC_reaB_refB_repC_req@_res@_serB_set?_sizB_sk_?_sta?_str@_tesA_tex@_timB_to_B_tokB_tra=_typ=_uinC_urlC" +
	"_useC_utiC_val@_ver@`\n\n#A`\n  @`   B` anB` inC` isA` toB`, `A`.\n\nC`.\n B`](hA``\n\n?```\n?```jA``jsA`js\nB`jsoB`proBa\n  Aa = Aa clBa co>a deCa diCa fiBa hr=" +
	"a liAa naCa neAa paBa prAa re@a seBa siAa stAa vaBa\": Ca, 0Ba.laBa256Ba</cCa></>a><bCabasAabel=abilAable9abouAabovAacce>acco@ace =ace(Aace.Baces@ach @ache<achi@" +
	"acinCacitCack >ack.Backa<acke?ackgAacksAackuBacroAact Aacte?acti<actoBactuBad oBad tCadat>add Aadd_BaddeBaddi?addr=ade Bader<adin@adonAady Bafte@agaiCage\nAage ;" +
	"age\"Bage(Bage)Bage,Bage-Aage.?age/Cage:@ageSBage]Cage_AagedBagenBager@ages=agreAags Aags.Cail Baila@aile@ailiCails?ailuBain >ain\"Caine<ainiAains?aint?aiseAait A" +
	"ak;\nCake ?akesCakinBal\n @al =Cal aCal cAal fBal iAal nBal pBal s@al tBal) Cal, Aal: Bal;\nBalPrCalanCalarCalenCalgoAalia@alid<aligAaliz=all\nCall ;all(Ball.B" +
	"all_AallaCallb>alle>alliBallo=allsAally>alogAalph@alreBals Aals.Balse;also@althCalue8alwaAam {Aamd6@ame\nAame :ame\">ame'Came(@ame)?ame,>ame.@ame:;ame=<ame>Came_B" +
	"amedBames=amet=ame}Aamil@ampl<ampo=ams Can \"Aan a?an b?an c>an e?an i@an o@an tCan uBan;\nAan><?anag>analCance;anch?and\n?and 8and-Cand.Band_Aanda?andl=andoBands@" +
	"and}Cang.@ang=;ange;angu>anifCanizBanne>anno@ans @ansf?ansiBanslBanspAant >anteBanti@antsBanuaCany >ap[sCapac@ape\"Bapi.Bapi/Aapi_@apis?appe=appi@appl=apprCapshB" +
	"apt\t@aptuBaqueCar *@ar _Car eCar iBar sCar tBarac?aram:arat?arch>ard @ardsBare\n@are :ared@aren>arg_Barge=argiBargs=argu>argvCaria>arieBarkeCarniAarra>arse;arsh@" +
	"arsiBart ?arti?artsAary ?as a?as bAas iBas nCas pCas sCas t@ascrCase\nCase <ase\"Case,Case.?ase6Base_Aased@ases@ash\nBash @asheAasicBask BasonBass =ass.Bass=;asse=" +
	"assi@assoBasswAast @aste@asyn@at\n Cat\n#Cat a@at c@at i@at mCat oBat sBat t>at wAat64Bat: Bata\nBata =ata)Aata,Aata.@ata/Bata:Bata_BatabAatal@atch:ate\nAate :" +
	"ate\"Aate(@ate)Cate,Bate-Aate.@ate:BateCCateSCateTBate_@ated:ategAatemAater?ates<atewCatfo@ath >ath\"Aath(Cath)Aath,Bath.?ath:AathsAatibBatic=atin?atio7ativ?atomB" +
	"ator<atri@atte<attr=atur>atus=audiBault:ause@auth>auto=ava.Aavai@avasCave =avioCaw oBawaiAaximBay bBay nAay o@aybaBayloBays Aazel@azonCb.co;b.inBback<bal Cbase<" +
	"bashAbaze@bc_fCbc_gBbc_sAbcr.Bbe a@be cAbe eBbe fBbe iBbe pBbe rAbe sAbe tBbe u@becaBbeenAbefo@behaBbeinBbeloBbelsAbencBber >ber)Cber,Bber.Cber;Aber=AbernBbersA" +
	"beta@betwBbili?bin/Abina@bind@bit BbitsAbjec:ble\nBble ;ble\"Cble(Bble,Cble-Bble.Able:BbleSBble_Abled@bles?blic=blisAblobAbloc?body?boldBbool<bordAbothBbounBboutA" +
	"boveAbr /Abran@brar?brea@browAbs:\nCbscrBbsolBbsp;CbstrBbtaiAbuckBbuf.@buff>bug Cbuil<buntAbut ?bute<buti@bxslBby a@by cCby t?byte<c\n  Bc (xBc = Ac coCc fuCc inC" +
	"c laBc, 0BcKeyBc_geBc_seBcablAcach>cal ?calaBcale@call;can <cann@capeAcardAcase=castCcataCcate<cati:caus@ccep@cces=ccou@ce\n Cce =Bce aAce cAce fCce i@ce oAce sC" +
	"ce t@ce w@ce\":Bce, @ce.\nAce. Bce: AceMaBced BceivAcellCcens:cent@cept<cert?ces ?ces.Aces:Bcess;ch (Cch a@ch cBch iAch rCch tAch' AchaiBchan=char<che ?che.@chec;" +
	"ched?chem=cherAches@chilAchin?chivCchmaBcho >chroBchunBcial@ciatBcies?cifi<cifyBcimaCcingBcityCck iCck tAckag<ckedAckenBcker>cket=ckgrAckinBckouAcks BckupBclar>" +
	"clas:clea?clie=clonCclos@clou>clud<clus?code8codi>coll?colo>coluAcom.Acom/:comm7comp:concAcond>conf;conn?cons8cont9conv?cope?copy>cord?core>corr@coulCcoun=cove?" +
	"cr.bCcrea=cred@cret@crib@crip9cros@cryp?cset@ct\n Bct aCct iCct t@ct {Act, Act.\nCcted=cter=ctinCctio8ctiv?ctlyActor<cts @cts.Acts/BctuaActur@ctx Bctx,ActypCculaB" +
	"cume>curi?curr=cursAcust@cutaCcuteBcutiAd\n  =d\n# Bd = >d a Ad alCd an?d arCd as@d be?d by<d caBd chBd co?d deBd diCd doCd exBd fiAd fo?d frAd haBd in<d is@d itC" +
	"d liAd loBd maBd naCd no@d of@d on>d orCd paBd prAd re?d seAd st@d th=d to;d un?d usBd vaBd whAd wi?d {\nBd\"\n Cd\",\nBd\", Cd\": ?d) {Bd);\nAd,\n Bd, aCd, tB" +
	"d.\n\nAd.\n ?d.\n#Ad.  Cd/moCd64\tBd:\n Bd: fBd: tBd;\n @d>\n Cd_liAd_trBdablCdard@data:date;dati?ddedAddenBddinAddit@ddr(?ddre>de\n Ade \"Cde <?de =Ade aBde c@" +
	"de i@de tAde, Ade.jCde: Bde=\"Ade> @de><Adebu@decl?deco?ded\nCded =def ;defa;defi9dejsBdele?deliCdenc?dent;depe?deprAdeps@deptCder ;der(Ader)Cder,Cder-Cder.@der_B" +
	"dereAderiCderlBderrBders>des @desc;deskCdest@deta@deteAdev/AdeveBdeviAdex @dex.@dica?dict@dif\n?diff?difiBdifyCdigeCding;dir Bdire=disa@discAdisp@dist=dit Cditi=" +
	"div Adiv>@diviCdk.cAdle Adler@dlinBdock?docs?docu>does?domaAdon'Bdone@donlAdoubAdoutCdown@dows?dpoi@dr(S?dres>drivBds aBds tAdsdk@duceAductBdule<e\n\t\t@e\n\t/B" +
	"e\n\n @e\n  9e\n *@e\n# ?e\n//@e   @e !=Be \"$Ce \"LAe */Be --Be <cCe <sBe = ;e ==?e ApAe CoBe LLCe Li<e PR?e SoBe UnAe __Be a =e abAe acAe adBe al@e an=e apBe ar?" +
	"e as@e at@e baBe be@e boBe buAe byAe ca>e ch@e cl?e co;e crCe cu@e daAe de=e di@e do@e en?e erBe ex>e fi=e fo<e frAe fu@e geBe giAe goAe grCe ha@e heBe hoBe htC" +
	"e if?e im@e in;e is<e it?e keAe la?e leAe li?e lo@e ma?e me@e miCe mo@e muBe na?e ne@e no?e nuAe obBe of<e on@e op@e or?e ouBe pa>e peCe po@e pr=e quCe re;e roB" +
	"e ruBe sa@e scBe se>e shBe si@e skAe soAe sp>e st=e su?e syBe taAe te?e th:e tiAe to<e tr@e ty@e unAe us=e va?e veAe waAe weCe wh@e wi=e yoCe {\n=e\"\n @e\");A" +
	"e\",\n>e\", Ae\": ;e\":\"@e\"><Be',\nBe', Ae's Ce(\n Ce()\nAe() @e();Be(seCe(skAe)\n\tAe)\n\nBe)\n @e) =Be) {?e):\nAe);\n?e,\n\tAe,\n =e, 0@e, VAe, a@e, cAe, eA" +
	"e, fCe, iAe, nCe, oBe, pCe, rCe, sAe, t@e-tyBe.\n\tBe.\n\n>e.\n =e.\n#Be.  Ae. TCe.ReBe.co?e.g.Ae.goBe.js@e.loAe.orAe.pr@e.reCe:\n =e:  Ae: \">e: 'Ae: CBe: SCe: TB" +
	"e: nAe: s?e: tAe;\n\nBe;\n >e;\n}Ce</cAe<>(?e=\"aCe=\"tCe>\n Ae>\n<Ce></Ae?: BeCon@eErr@eFilCeInfCeIntCeKeyAeLisCeMapAeNam@eOptCePatAeProAeReqCeResBeStaAeStrAeTimB" +
	"eTraBeTyp@eValAe__ Be_ad?e_coBe_naAe_prBe_reBe_t Be_trAe_tyBeach?ead ?ead.Cead_Beade<eadiAeadoAeadsBeadyAeak;Beam @eam.Cean Aean;AeansBeapiAear Cearc?ease<easoB" +
	"eastBeate;eatiBeatu@ebug?ecat@ecauBecei@echo>eciaAecif<ecimCeck @eck_?eckoAecksAecla>eclo@ecod?ecom@econ?ecor?ecre@ect\nAect <ect\"Bect(Aect,Bect-Bect.>ect_Aecte=" +
	"ecti;ectlAecto=ects=ecur>ecut?ed\n ?ed =@ed a=ed b<ed c?ed dAed eAed f>ed i<ed lAed mBed o>ed pAed rBed s?ed t;ed u>ed vBed w>ed\":Bed) Bed, >ed.\n=ed. @ed32Ced64C" +
	"ed: ?ed;\nAed_aBededBedefAeden?edesCedia@edic@edirBedisBedit@edulBee t@eed ?eedeAeedsBeen ?ef _?ef lBef\":Bef: Aef=\"<efau:efer=efin9efix?efle@efor?efulBeg$cBegExC" +
	"egatAeger@egex?eginCegio@egis>egmeCegraCehavBeigh?eingBeir Ceith@eiveAekorCel\":Cel.bCelat@eld ?eld:Belds>elea=elec?elem>elet>elf)Aelf,@elf-Belf.;elifBelimCelinC" +
	"ell BelloAelopAelowCelp Celp_AelpeBels Belse<ely Aem;\nCemaiAemanBembe@emen;emetAemitBemor@emotBemov>empl?empt>ems Ben\n\tCen\n @en =Ben aAen cBen iAen pCen rC" +
	"en sBen t>en, Benab@enam>enanAence<enchAenci@enco=encrCency@end\nCend >end(@end_Bende=endi=endoBendpAends?ener;engiBengt<ense:ensi=enssBensuBent\n@ent 8ent\"@ent'C" +
	"ent(@ent)Aent,@ent-@ent.=ent:@ent>;entSCentTBent_?enta=ente>enti;entlAentr>ents;enum?enutAenv Cenv.Cenv:CenviAeof ?eout?epar@epea>epen>epla?epliBeploBepor@epos@" +
	"epre>eps:?ept ?epthBepti>equaAeque:equi;er\n\tBer\n ?er =?er a?er bBer c@er dAer e@er f@er i>er mBer nBer o>er pAer rAer s@er t;er vBer wAer {Ber\"\nBer\",Aer\":B" +
	"er\">Ber()@er)\nBer) @er):Ber,\nBer, =er.\n?er. Aer.cCer.pCer: ?er;\n?er=\"@erClBerReBerabBeragAeral>erat:erceBerd/Bere >ered@eren=erfa=erfoBerge@eria?eric@erif?" +
	"erinBerioCeritBerivCerm=Bermi=ern @erna<erne@erniBernsCerprBerr\nAerr <err)@err,Berr.CerreCerri@erro;ers\nBers =ers\"Bers,Bers.?ers/Bers:@erseAersi9ersoCert Aert(A" +
	"ert.BerteBerti=erty>ervaAerve;ervi<erwiBery @ery\"Bes\n\nAes\n ?es (Bes =?es a<es bCes cBes f?es i?es mBes n@es o?es sBes t<es w@es\"\nCes\":>es()Ces) Bes, >es.\n?" +
	"es. Aes.\"Ces.hBes/LBes:\n>es: =escaAescr:ese @esen?eser?esetAesktCesliAesn'Cesol?esou;espa>espo<ess <ess(Cess.@ess_Bessa:esse@essi=essoCest\n@est <est\"@est(@" +
	"est)Best,Aest-@est.>est/Aest:@estCCest_?esta>este?esti>estoAestr@ests=esul<et \"@et -Bet =Aet aBet cCet iAet oBet sBet t?et()Cet, Aet: BetReBet_pBeta Ceta1Betad>" +
	"etai?etch@ete AetecAetedBeter=etesAethe@etho=etioCetri?etry?ets @ets.Cette@etti?etup@etur7etweBetwo?evalBevel>even=ever>evic?evioBew EBewayCex.jCexam=exce>exclB" +
	"exec?exerBexis?exit?expaCexpe>explAexpo;expr>ext >ext\"Cext(Aext)Aext,@ext-Bext.@ext/Cext:@ext_Cexte<extr@ey =Cey, Aey: Beys Beywo>f\n\n#Bf\n  Af (!?f ($Bf (cB" +
	"f (iBf (sBf (t@f = Bf [ Bf __@f a @f anAf coAf deBf er?f inBf itBf leCf liAf no@f prBf reAf seAf stBf th9f yo@f\"\n\tCf\": Bf):\nBf, 0@f=\"#@f=\".Cf=\"h@face=fact@" +
	"fail>fallCfals<fami@fastBfaul:fdefAfeatAfectBfer ?fer.Bfere=festCfetcAffecBffer<ffff@fficAffixCffse?fi\n\nBfic @fica>ficiCfied>fiel<fier>fiesBfig @fig.@fig_Cfigu>" +
	"file9fillCfilt@finaAfind@fine9fini>firs?fishBfix Afixe?flag=flatAflec@floa?flow@fmt.AfndeBfoldAfoll?font?foo Cfor 8forcBfore?form:foun@framBfree?from:fset?fter?" +
	"ftwa?ful Bfull@func8futuAg\n  ?g = ?g a @g anAg coAg fiBg foBg inAg isBg ofCg onCg peAg reAg th=g to@g wiBg {\nBg | Bg\"\n @g\",\nBg): Cg, sAg.\n Bg.T)Cg.orBg/liA" +
	"g;\n @g=\"eAg=\"fBg=\"hCg=\"iCg=\"pCg=\"sAg=NOCgExpCg_naCgainBganiBgateAgatiAge\n Cge =Bge aCge gAge iBge oBge tAge, Bge.\nCge: Aged Bgene=gent@ger @ger.Bges ?" +
	"ges.Agest@get >get\"Cget(Aget_>getsAgger@gginBghliBght =ght:AghtsAgin Bgin-Cgina@gineAging@gion@gist>git ?gith:give?gle ?gle.>gle_BgleaAglec@glob>gmenAgnalAgnat@" +
	"gned>gnerCgnor?go tBgo-vBgola@goog<goprCgori@gove@gradCgram?grapAgratAgree@grepBgresAgrou<grpcAgs, Bgs:\nBgs: BgstoBgth ?gth)Bgth;Bguag>gulaBgume=gura>gureBh\n  A" +
	"h = @h a Ah anBh asCh coCh inCh isBh ofCh th=h toBh\": Bh' oBh:\n ?h>\n#@ha25BhainAhan @hand>hang=hann?hapeAhar ?hara?hardBhare@harsBhas ?hash>hat :have>haviBhe\n ?" +
	"he \"@he <Che A@he CBhe GAhe L<he SBhe UAhe `?he a>he b?he c;he d>he e>he f<he g?he hAhe i?he kChe l>he m>he n>he o>he p=he r<he s;he t>he u@he v?he wAhe.oAhead=" +
	"heck;hed AheduBheigBheirChell@help>hema>hemeAhen\n?hen <hentBher <her.Chere=heriCherwBhes Ahese@hethAhey Ahi dBhich>hift@highAhild@hile@hin Chine@hing>his\nChis 9" +
	"his-Ahis.;his;Bhite@hligBhljsBhmarBho \"?hod AhodsBholdAhomeChon Ahook@horiAhorsBhortAhoseBhost>houl>hout?how AhreaAhref<hrouBhrow?ht (Cht 2Aht: Ahtml<hts Ahttp9" +
	"hub.;hunkBi\n  Ci < Ci = Ai deBi>\n<?i><a?i_fiCiabl?ial @iali?ials@iancAiate@iatiCibc_=ibilBible?ibra?ibut;ibxsBic\n Cic cCic fBic iBic lAic sCicKeCicabAical>icat;" +
	"ice >ice(Bice.Aice_Cicen:ices@ich >icieBicitAicod?icroBictiBicy Aid *Cid 0Cid =Bid\":Bid, Cid: Bid;\nAid=\"Aid_tBidat>iddeBide ?ided@iden?ider?idesBidth?ied >ied.A" +
	"ield:ient<ier Aies\nBies =ies\"Aies.Bies:Bif\n\n@if !Bif (:if [Aif aAif cBif dBif e>if iAif lBif n@if pBif s@if t?if yBifacAifdeAifesCiffeAific=ifie<ifndBify @" +
	"igatCigesAighlBight;igin?igitBign Bigna?igne>igno?igraCigstBigur>ike Ail\n}Bil {>il, Ailab@ild ?ild/Aild_Bilde?ile\nBile ;ile\"Cile(Aile,Bile.@ile:Bile_@iled@ilen?" +
	"ilerBiles=ilinBilit?ill <illiAils Ails.@ilte?iltiCilurBily>Aimag>imalBimatCime ?ime-Aime.@ime_CimenBimeo?imerAimes?imit=imizBimpl<impo;imumAin\n Bin a>in bCin c@" +
	"in iCin mCin oBin pBin sAin t;in wAin\":Cin: Ainal>inar?inat@inceAincl<incoCind @ind_Cinde<indi?indo>ine :ine(Bine-Bine.Bine<?ine_>ined<iner=ines?info=ing\n=ing 7" +
	"ing\"=ing'Bing(>ing)?ing,=ing-@ing.=ing:@ing;?ing=Aing>@ing[Cing]Aing_?ingl@ings=ing}CinimAinin@inisBinit=ink ?inksCinliAinneBinpu=ins @inseAinsiBinst;int\nAint <" +
	"int\"Cint(Aint)@int,Aint-Bint1Cint3=int6>int8@int_Binte9intf@into?intpBintsAinueAinux?invaAinvoCio.gBion\n=ion 7ion\"<ion'@ion(=ion)?ion,>ion-@ion.<ion/?ion:<ion;B" +
	"ion<Bion=@ion>AionCCionDCionEBionFCionIBionPCionRAionSBionTCion]Cion_>iona;ions7ion}CioriBiousAipleAipt @ipti<ipto?iptsAiqueBire Bire(@irec<ired=iresAiron@irst>" +
	"irtuCis\n Bis a=is bCis c?is d?is e@is f=is gBis i>is lAis m@is n>is oAis p?is r@is s>is t>is u@is wBis->Ais.#Cis._>is.cAis.oCis.sCis;\nBisab?iscoBise @ise<Bish C" +
	"isheAisioAisitCispl@issi>issu?ist =ist(Bist.BistaBiste=isti@istoCistr<ists@it aAit cAit dBit fCit i@it rCit sBit tAit wAit__BitalCitatAitch?ite @ite(Bite_CitedA" +
	"item=iter=itesAith :ith:@ithe@ithiBithm@itho?ithu:itia@itieBitin@itio;itivBitle?itor>its ?itte@ity >ity.Civ cBiv>\nAivat>ive >ive.CivedBiven?iver@ivesBixed?ixesB" +
	"izat?ize >ize(Bize)Bize:Cize_@ized?izeoCizerBjava?ject9jestCjobsBjoin@js\",Bjs.oCjson=justAk\n  Ak = Bk toBk), Ck.coAk8s.Ak;\n Bk_tyAkage<ke tCked AkeepBken @kendB" +
	"kensAker @kes Cket Bkey ?key)Bkey,Bkey.Ckey:Bkey_Ckeys@keyw?kfloBkgroAkindAking?know?koutAkspaCktopCkube?kumeCkwarCl\n  >l\n}\nBl = ?l be>l co@l deCl foCl inAl naA" +
	"l noAl re@l stAl thAl toBl usCl {\n=l\" cAl\": ?l) {Bl,\n Bl.buCl/liCl:la;l;\n Al>\n<BlProCl_ch@l_reBlabe?labl?lace>lag Clags>laimClainBlang9lar BlaraBlare?largC" +
	"lashBlass9last?late;latf@lati>law Blay BlaybBlbac>ld b@ld iBld nBld/mCld: Blder>lds @lds.Cle\n Ale \"Cle (Ale =Ale a@le bCle cAle dBle e@le fAle i>le lAle mCle oA" +
	"le pBle rCle sAle t?le wAle\",Cle, ?le.\n@le. Ble.c@le.gCle.lAle.p@le:\nBle: ?le=\"Ale_gClean=leapAlear@leas<lecl@lect<led >left@legaBleme<len Blen(@lena@leng=" +
	"lentCler @les\nCles =les\"Cles.@les/@les:Aless?let >lete=letiBleve@lf):Blf, @lf->Clf._?lgor@li>\n>li><>lianAlias?lib.@lib/Alibc<libr@libxAlic ?licKClica=lice=lici@" +
	"licy>lid ?lida>lied@lien<lif BlighAlignAlike@limi>line:ling>link=lint>linu@lish@list;lite@lity?lizaClize>ljs-Bll\n Bll aAll b>ll cAll iCll n@ll oBll pCll r@ll sB" +
	"ll t@ll) Bll, Cll;\nBll_rCllba>llec?lled?ller@llibBllinAlloc?llow<lls BllvmClly >load<loat?lob Blob/Bloba>loca;lock<log Alog(Alog.Alog_BloggAlogiBloneBlong?lookA" +
	"loopClopeBlor:@lose?loud=low ?lowe?lowi@lowsAlp_tAlperBlpha@lreaBls.\nBlse\n>lse =lse)Blse,@lse:Blse;Blso @lt =Alt iClt, Blt: Alter>ltinBltip@lts Alude<ludiClue\n@" +
	"lue <lue\"@lue(Blue)@lue,Alue.Alue:@lues>lugi@lume@lumn@lureBlusiBlust@luteClvedClverClwayAly aAly bBly cBly iBly oCly rCly sAly tAly wCly, Cly.\nCly. Am\n  Bm = A" +
	"m __Cm goAm inAm th?m.goAm/goAmachAmacrCmadeCmage=mailAmain=make>maliAmallAmana@mand;maniCmantCmap Bmap<Cmap[Bmap_BmappAmargBmark?marsBmaryAmaskAmastAmat @mat(C" +
	"mat:Cmatc;mateBmathCmati>matr@mattBmaxiCmay >mazoCmber:mbinBmbol?md64@me\n Bme \"Cme =?me _Cme aAme fCme iAme o?me sBme tAme\":?me()Cme)\nBme) Bme,\nCme, >me-tC" +
	"me.\nCme: ;me=\">me='?meanBmed AmediAmembAmemoAmendCment6menu@meou?mer Cmerg@meriAmes @mesp>mess<mestAmeta>mete=meth=metr?mily@mime@minaAmineCmingAminiAmise?miss>" +
	"mit @mit/BmitaAmite@mitsBmittAmizeBml\" @ml\">Aml:l;mman;mmarBmmen8mmit?mmon?mode>modiAmodu<montBmore?mory@mostBmoteAmounBmove>mpar@mpat@mpil@mpl.Ampla>mple:mpli>" +
	"mpol=mponAmpor;mpre?mpty>mput@ms, Cms:\nCmult?mum Bmust>my $@n\n\t\tBn\n  <n   Bn \"ABn 2.An = >n a >n abCn adCn alAn an>n arBn asBn be>n byCn caAn cl>n co>n deA" +
	"n diCn enBn er@n ex@n faAn fiAn fo@n geBn haCn in>n is?n itBn ke@n liCn ma?n naBn neCn niAn noAn obBn of?n onAn opBn orBn paAn pr@n re>n se?n stAn suCn teBn th:" +
	"n to?n trBn unBn usAn vaBn whBn wiAn wrAn yoCn {\n@n\"\n\tCn\"\n Bn\");Cn\",\nAn\", Bn\": <n', Bn't ?n() Bn);\nBn,\n Bn.\n\nAn.\n @n.prBn:\n @n: \"An: 'Cn: uBn: |A" +
	"n;\n ?n>\n Cn></Bn><sAnConCnProBnabl>nage?nal\n@nal <nal\"Bnal)Anal,Bnal.Cnal/BnalPCnal_AnaliCnallBnalsBnalyBname7nancBnapsBnary?nateBnati?natu@nav-AnbspCnc (>" +
	"ncatBnce <nce(Bnce.@ncelBnces@ncheBnchmBncie@nclu<ncod=ncomAncreCncryAncti:nd\n And\n#Cnd =Bnd `Bnd a?nd c@nd dBnd eAnd fBnd i?nd lBnd mBnd nBnd o@nd pBnd r@nd s@" +
	"nd t>nd uCnd wBnd()Bnd, Bnd: And_lBndar?nded@ndef=nden=nder<ndex<ndicAndif>ndin>ndit?ndle=ndomBndorBndow>ndpo@nds >ne\n Ane P?ne SAne _Ane aCne iBne oAne s@ne tB" +
	"ne,\nBne, Ane:\nBne<>?ne_a?nect>ned\nBned <ned(Aned;Aneed?nent@neofCner @ner.Bnera<nerdAneriBnersAnes @nestCnet/BneteBnetw@new <new_Bnext>nfig:nfo Anfo(Bnfo.Cnfor?" +
	"ng\n\tAng\n ?ng =Ang `Ang a=ng bBng c@ng dAng eAng f@ng i?ng lBng mBng nCng o?ng p?ng rAng s@ng t<ng uCng w@ng {Cng |Bng\"\n?ng\" Bng\",Bng\">Cng()Bng) Ang):Cng, >" +
	"ng.\nAng.TBng.oBng: Ang;\n?ng=\";nge ?ngedBngerBnges@ngin@ngle@ngs @ngs.Bngth<ngua>nherCnicaBnico?nil\nAnil >nil,Aning<niquCnishBnit_Aniti>nityCnizaBnkno@nles@" +
	"nlin@nloaAnly =nmen@nnec>nnel?nner?nnin@nnot?node;non-AnoneAnore?norm@not :nota@noteBnothBnoti@now Bnown?npm @nput=ns\n Bns =Ans a>ns fBns iBns oAns t>ns uAns {B" +
	"ns\":Cns) Cns, Ans-oBns.\nAns/cBns/sCns:\n@ns: AnsafAnse =nse\"@nse,@nse.>nsedAnserAnses@nsfo@nsidBnsig@nsio>nsitCnslaBnsol?nspeBnspoBnsslBnst 9nsta;nste@nstr>" +
	"nsumAnsurBnt\n Ant \"Cnt *Cnt =@nt aAnt cAnt dCnt fAnt i@nt lCnt oAnt pBnt rCnt sAnt t>nt vBnt wBnt x;nt\",Bnt\":Bnt) @nt, ?nt-sBnt.\nAnt16Cnt32=nt64>nt8ACnt: @" +
	"nt;\nCnt</Cnt>\n;ntTyCntai;ntalBntat>ntax@nted@nteg?ntelAnten=nter9ntex=ntf(Antia?ntic@ntif?ntim?ntin?ntioAntit?ntlyAnto @ntotBntptBntraBntri?ntro?ntry?nts\nBnts =" +
	"nts.@nts:Antu-Bnull=num @numb;numeAnutrAnval?nvenBnver?nvir@o\n  ?o   Bo \"$Co = Bo a @o acCo anBo be?o chBo co@o deAo doCo enCo fiCo geBo in?o loBo ma@o noAo paC" +
	"o prBo re?o ruCo seAo stBo teBo th<o us@o-veBo.atBo.giBoStrBoad @oad_CoadeBoat6Cobal>obje<obs:CobtaAobuf>ocal=ocat<oces=ociaAock @ocke=ocksAocol@ocs/Aocum>od\n B" +
	"ode\nAode ;ode\"Aode(@ode)Bode,Aode-Aode.>ode:@ode=Aode><odePBode_@odecAodedAodejBodelAoderAodes@odif@odin>ods Coduc@odul<ody Boes @oesnCof `Bof a>of cAof dCof eB" +
	"of fCof iBof oCof pBof rBof sAof t:off\"Coffs@ofilAoftw?oggeAoggiCogle;ogra?ogreCoid >oid)Aoid;BoimpAoin(Aoint<ojec<oken<okupColan@olatCold Bolde@ole.Aolea=olic=" +
	"olin=olle>ollo?olor=olum>olutAolve?om '@om _Com aBom gAom t?om.gBom/aBom/cBom/dCom/gAom/mBom/pCom/sCom: Comai@omatAombiBome @ometBomicBomis?omitAomma;omme8ommi?" +
	"ommo?ompa>ompi@ompl>ompo@ompr?omptBompu@on\n\nBon\n ?on (?on 2Aon =?on a>on bBon c@on dAon eAon f?on gCon i>on mBon nAon o>on pAon rAon s?on t=on w@on {Aon\"\nB" +
	"on\" Con\",Bon\":=on\">Con't@on()Aon) Aon,\nCon, >on.\n>on. Aon.pAon:\n@on: <on:\"Aon;\nCon</Bon=\"Bon>\nBonCoConReAonal;onceAond Condi?ondsAone\n@one =one)Bone,@" +
	"one:BonenAoneoConfi:ong @only=onme@onne>ons\n@ons ;ons\"Aons)@ons,@ons.<ons/>ons:?ons_Bonse<onsiAonso?onst9onsuAont-@onta;onte;onthBonti@ontr>onve>oogl;ook BookiC" +
	"ooksAookuCool ?oole=ools@oot Aope Bopen=oper;opicCoproCopti9opts@opy @opyr?or\n Aor (@or =Bor _Cor `Bor a=or bBor c?or d@or e>or fAor i>or lBor m?or nAor oAor pA" +
	"or rAor s?or t<or uBor wAor {Bor(\"Bor('Bor()Bor) @or, Aor.\nCor: >orag@oratBorceAord ?orde?ords@ore\nCore <ore.Aore/Aore_BoredAoresBorf(Aorg/=orgaCorieBorig@orit?" +
	"orizBork AorkeBorkfAorkiCorks@orm @orm-Corma;ormeBormsBorre@ors Aors.@ort\nCort :ort(Cort.Bort_Corte=ortiCorts=orwaBory ?ory\"Bory.Cose @osedBosit=ossiAossl?ost @" +
	"ot aAot b@ot cBot eBot iBot rCot s@ot uAotalBotat?ote AotesCoth Bothe=oticBotifBoto Coto.@oto_Aotob>otoc@otoiAotot@otyp@ou c@ou m?ou wBoubl@oud Aouds@oughAould=" +
	"ound<ount<oup Aoups@our ?ourc9ous Aout\nCout <out@Boute@outp=ove ?ovedBovenBover<ovid=ow nAow tAowedAower@owin@own @owneBownlAows @owseAp\n  Cp = @p toCp\": Cp://>" +
	"p>\n<Ap>ThCp[stCp_inCp_teApace<pach?paciBpack<paddApage?pairCpan >pan>>pandCpaquCpara;pare=pars<part?pass>patcBpath:patiApatt?pdat=pe =@pe iBpe {Cpe\":=pe(sApe, A" +
	"pe: =pe=\"@peat>pec Cpeci<pect=ped BpedeApeg$Apen BpenaApend=pensApentBpeof@per Apera=perf@periBperlCperm?pers@pert<pes @pes\"Bpes.@pes/CpherCpi_fCpile@ping?pipeB" +
	"pis.Bpkg.Cplac>plaiBplat=play?ple ?ple,Bple.Bple:Cplem?ples?plet@plexBpliaAplic<plie?plit@ploaAployBplug@plusCply Cpoin=poli<pondBponeApons<poolBport8poseAposi>" +
	"possBpostAppedBppen?pperAppin@ppli=pplyAppor=pproCpre>Bprec?predApref?prepApres;pretBprev@primBprin=prioBpriv?probBproc>prodAprofCprog?proj=prom@prop=prot:prov=" +
	"prox@ps:\nAps: @ps:/:pshoBpt\tlApt iAptedBptio7ptor?ptr(Cptr)Bpts Apts.BpturBpty Apty\"Bpubl=pull?push?put >put\"Cput)Cput,Bput.Bput_CputeAputsBpx;\nCpy oApyri?" +
	"pyth@qual?que Cquen@quer?ques:queuAquir;quotAr\n\t\tBr\n\t}Br\n  >r   Cr !=?r />Ar :=?r = =r ==Cr a ?r agBr alCr an@r caBr co?r deAr diCr erBr ex>r fiBr foAr haC" +
	"r im@r in>r is@r liCr maBr meBr mo@r noBr of?r paBr prAr re?r seAr stAr th:r to>r usCr veBr whCr wiAr {\n@r | Cr\"\n Br\",\nBr\": @r', Br() Br(SB?r)\n\t@r)\n B" +
	"r) {?r):\nBr);\nAr,\n Br, \"Cr, iCr, sCr, tCr.\n\nCr.\n Ar.baBr.coCr:\n Br: #Ar;\n @rClaBrCodBrNamCrResCrablBrace?rack?ract=rage>ragmCrailBrainBraisAral @rallB" +
	"ram =rame=ramp=rams>ranc@randArang>rans<rantAraph@rappArary?rate<rati;rato=ray Aray(Bray.Cray<Crc=\"Crce =rce\"Brce.Arce:CrceMBrce_Arces?rch CrchiArder>rdinBrds B" +
	"re\n Bre\n#Cre a?re c?re dBre eBre fAre i?re mCre nAre oBre pBre rBre s@re t>re uCre wBre('@re, Bre.\nCre.cBre__BreacBread;reak?realBream=reasAreat;reca@rece@reco?" +
	"rect<red =red\"Cred.Bred:Ared_Crede?redi?redsCree @reed@reenBref Cref\"Bref:Bref=<refe>refi?reflArefsArege@regi>relaArele>remaBremeAremo>renc=rendCrent<rep CrepaB" +
	"repe>repl?repo=repr?req.Crequ9res @res.Arese=reshBreso;resp=ress;rest?resu=ret BretrAretsCretu7reveArevi@rf(\"Arfac=rforArg/lArganBrge Brget=rginBrgs Args)Args.@" +
	"rgs:Brgum=riab?rial?rianCribe@ribu;ric Crict@ride@ries>rifiBrifyArigh=rigi?rimeBring7rint=riorAript9rite<rith@riti@rittCrity=riva>rive@rix.BrkerArkflBrkinCrl\":B" +
	"rlliCrmal?rmanCrmat;rmin?rmis?rn \"Crn (Brn 0Brn aArn cArn eArn f@rn iBrn mBrn n?rn oCrn pBrn rArn s@rn t?rn {Crnal<rnamArned@rnetArnin?rns =roce=rodu@rofiArogr?" +
	"roje<rol CroleBrollArom :rom(Cromi?rompBrongAronmAroot?rope<ror\nBror =ror(>ror)?ror,Cror.Bror:ArorfArors?rossBroto:rougBroun?roup<routAroveArovi=row ?rows@roxy@" +
	"rr\n\tArr !?rr :?rr =Arr)\nArr, Brray<rrecBrren>rrid@rror9rs\n Crs =Brs aBrs tBrs\":Brs, Ars.\nArs. Brs:\nArs: Brse ArsedBrser>rsha@rsinCrsio:rsonCrsorBrst @rt (C" +
	"rt aBrt cArt d@rt fArt iArt oArt sCrt t@rt {Art, Brted>rterArtiaCrticCrtie?rtif>rtinBrtioBrts @rts.?rtuaCrty Arty(Bruct<rue\n=rue @rue)Arue,?rue;Brule@run ?run:?" +
	"runnArunsArunt@rustArvalBrved@rver<rvic<rwarBrwisBry fBry iBry tBry\",Cry.\nCry: Brypt>s\n\t\tCs\n\n Cs\n  ;s\n *Bs\n//Bs   Bs :=As = ;s ==Cs ReBs a <s al@s an<" +
	"s ar=s asAs atBs be@s ca?s co>s de?s di@s doBs enCs exAs fi>s fo=s fr@s fuCs haBs ifBs imBs in<s is>s itAs li@s ma?s meBs moBs muCs neCs no=s of=s on?s opBs or@" +
	"s paAs pr?s re=s se@s shBs soAs spCs stAs suAs th:s to<s trBs un@s us?s vaCs weBs wh@s wi>s yoCs {\n@s\"\n\tBs\"\n As\",\n?s\", Bs\": <s\"><Cs',\nCs', Bs';\nCs() B" +
	"s)\n\nCs)\n As) {@s):\nCs);\n@s,\n As, aAs, eBs, iCs, sBs, tAs-onBs.\n\tBs.\n\n?s.\n >s.  As. TBs.ReCs.StCs.co@s.deCs.geCs.ht@s.inCs.io@s.leBs.loAs.maBs.opBs.orB" +
	"s.paBs.prBs.reAs.seCs.stCs/LIBs/chBs/coBs/seBs:\n\nBs:\n ;s: [@s: a@s: rCs: sCs://:s;\n @s</aAs</cBs=\"dCs=\"hAs=\"n@s=\"pBs=\"tBs?: AsConBsSerCsValBs[0]Bs](hC" +
	"sabl?safe@sage:same?sampCsaveBscal>scanBscap@sche=scop@scri9sdk.@se\n\nBse\n >se \"Bse =Bse a?se bBse cAse eCse f?se i>se o@se sAse t=se wBse {?se\")Ase\":Ase()A" +
	"se,\nAse, >se.\n>se. Bse64Bse:\nAse: Cse;\nAse_tBsear@seco@secrAsect@secu@sed ;sed.Bsee @sefuCsele@self:semaCsend@sent>sepaBsequBser ?ser)Cser.Aseri@sernCsers@" +
	"sert=serv;ses >ses/@ses:?sessAset ;set(@set,Bset.Cset_@setsAsett@setu@sfor@sha2Bshal@shapAshar@shedAshelAshesBshif@shorAshotBshou>showBsibl@side@sign<sigsBsimpB" +
	"sincBsing<sion8sistAsiteBsiti?sito?siveBsize<sk),Csk, Bsk_tAskipAsktoCsl_c?slatBslicBslinAslt-BsltSBsmalCsn'tBsnapCso tBsociBsock@soft?sole?soluBsolv?some?son\nC" +
	"son Ason\"Bson:@sortAsour:spac<span<spec;spla@spli@spon<sporBsrc/Bsrc=Css o@ss rAss t@ss=\"<ssag:ssed@sser>ssesAssetBssib@ssigAssin@ssio<ssl_?ssocAssorCssue>ssumC" +
	"sswoBst\n @st -Bst =Ast UCst a@st b?st c?st dBst eBst fBst hCst i@st lCst mAst nAst o>st p@st r@st s@st t@st uBst vCst wCst {Bst\",Cst\":Bst) Bst, ?st.\nBst:\nB" +
	"st: AstReBst_cBstabAstac@stal=stamAstan;star<stat:std:BstdeBstdiBstdoCstea@sted>stem>sten>step@ster=sticBstin=stnaBstom?stopBstor=str Cstra?stre>stri8stroAstru<" +
	"stry@sts ?sts.Bstyl?sub AsubjAsubs@succAsuchBsues@sult<sume@summCsupeBsupp=sure@switAsworBsymbAsyn >sync>synt@sys/Bsysc?syst?t\tliAt\n\t\tCt\n\n Ct\n  <t\n *Ct\n#\nC" +
	"t\n# Bt\n//Bt   Bt \"n@t (\nBt *tBt +=Bt --Bt 20At :=Bt = ;t ==Bt a @t al@t an>t arAt asBt be=t ca?t ch@t clBt co=t de?t di@t doAt enBt ex@t fiAt fo>t frBt fuC" +
	"t geCt ha?t ifCt imCt in<t is=t itAt leAt liAt loBt ma@t meBt moBt naAt neBt no@t of=t on@t opBt orBt pa@t poBt pr@t re=t se@t shBt siCt spBt st?t suAt taCt teC" +
	"t th;t to<t ty@t unAt us?t va@t waBt whBt wi?t woCt xm;t yoBt {\n>t { @t\"\n\tBt\"\n At\",\n?t\", Bt\": >t', At's At(\n Bt()\nBt() At)\n\tCt)\n Bt) {@t).\nCt);\n@" +
	"t,\n @t, aBt, cBt, eAt, iBt, oBt, sBt, tAt-stCt.\n\nAt.\n ?t.  Ct.CoBt.ErAt.FaBt.coBt32 @t32(Ct32_Bt64 At64(Ct8ArCt:\n ?t: \"Bt: nCt: |Bt;\n\nCt;\n ?t</cAt>\n ;" +
	"t?: CtCon@tErrBtFieCtIntCtMetCtNamBtOptBtParBtPatBtProBtResBtStaCtStrBtTimCtTypAtValBt__(Ct_coBt_inCt_prBt_reBt_trAta =Bta, Bta: CtabaAtabl<tachBtack@tada>tag B" +
	"tagsAtail?tain;takeBtal Atall=taloBtamp@tanc=tand?tant@targ=tart<taskAtate<tati:tatsBtatu=tax Atch =tch'Atch(Atche?tchiBtd::Btd><BtderBtdouCte\n Bte =Bte a?te cB" +
	"te iAte oBte sBte t?te) Cte, @te.\nCte: AteReCteStCtead@tect?ted\n@ted 9ted,Bted.?ted:Ated_?tege@tegrBtegyCteleBtelyCtem ?temeAtemp=tems?ten BtencCtend>tene@tens>" +
	"tent<tepsAter\n@ter ;ter\"Bter(@ter)Bter,Ater.@ter:CterCBter_Atera=tereBterf=teriAterm=tern:terpBters=tervBtes =tes,Btes.?tes:Btest9tewaCtext:tf-8Btfor@th\n Cth =@" +
	"th a?th cCth dBth iBth oBth sCth t=th\":Cth) Cth, @th:\n@th: @than@that:the\n=the 5theiCthemAthen=ther;thesAtheyAthin?this8thod=thon?thor?thosCthou?threAthro>thub:" +
	"tial=tic ?tica?ticeAties>tifaAtifi=tifyBtil Btil.Btils?time;tinaBting:tinu@tion4tipl@titiCtitl?tity@tive<tly @tml\"?tml#Atml/BtnamAto\n Bto `Ato a=to b>to c?to d@" +
	"to eAto fBto gBto hBto i?to lBto m@to oCto p@to r?to s?to t<to u@to wBto.aBtoStCtobu>toco@toimAtoke>tom BtomaAtomiBtool?top.Ctor >tor(@tor,Btor.Atora@tore<toriA" +
	"tors@tory=totaCtotoAtoty@tp:/>tps::tptrBtput=tr) Ctr, Atr><Ctrac=traiAtram=tran=tratAtrea=tree>trib;tric>trie?trin7tripCtrix@trol?tronBtruc<true;trusCtry ?try-C" +
	"try.Bts\n @ts =@ts a?ts cCts fBts iAts oAts rBts t>ts wBts\",Cts\":Bts, @ts.\nAts. Bts.ECts.lAts:\nAts: @ttacBttedAttemCttenBtter=ttes@ttin?ttonCttp.Attp:>ttps:" +
	"ttri=tu-lBtual@tup-CtuplBture<turn7tus @twar?tweeBtwo Btwor?tx, Aty oBty\"`Btyle>type7u ca@u ma?u-laBuage>ual @ual(BuallBuatiBub.c;ub.iBuberAubjeAuble@ubli<ubscB" +
	"ubstBubunBucceAuch AuckeAuct >uctiBuctoAuctuAude >udedBudesCudinCudioBudsd@ue\n\tAue\n\nCue\n >ue =Aue i@ue oBue tBue\"\nCue\",Bue)\nCue) Bue);Cue,\n@ue, @ue: A" +
	"ue;\n@uenc@uery>ues @ues/Buest:ueue@uffe=uffiBugh Bugin@uild;uiltAuint=uire;uiteCul>\nBularAulatAuld =ule ?ule.Bules>ull ?ull)Bull,Bull/Aull;Bull_Bult <ult\"Bult)C" +
	"ult,Bult.Ault:@ult_Aulti>ults?umbe:umen;umer?ummaBun: @unc <unc(@unct9und @undaBunde;undlBunicAuniqCunitAunknAunleBunneAunniAuns-BunsaBunsi@unt @unteBunti?untsC" +
	"untuAuoteBup tCupda>uperBupleAuploCuppo=ups=CuralCurat>urce9ure >ure.Aure_Aures@urinBurit?url Burl\"BurllCurn\nAurn 8urneAurns=urre=ursoBusagBuse ;used=user=uses>" +
	"ush(@usin>usr/Aust =uste?usto?ut\n Cut =Cut aBut iBut nCut oBut sCut t@ut, AutabBute ?ute.Bute_Buted?uterAutes?utf-Butf8CutheButho?util>utinButio?utomAutorAutpu=" +
	"utraAuttoCuturAu{1FAv clBv\", Bv1beAva.lBvail@val Bvali<valu9var <vari?vascCvate>ve a@ve cBve t?ved @ved.Avel BveloAven >venaBvendCvent<ver >ver,Cver.Bvera@verbC" +
	"veri@vernAverr@vers:vert?very@ves Avia Cvice;vide=viewAvingBviouBviro@visi@void<voluBw ErCw neAw orBw thCw.apBwait@want?wardAware>warnAwas @watcCway CwaysAwed C" +
	"weenBweigBwhatBwhen=wher@whetBwhic>whil@whitBwidt?will<wind?wing@wiseAwitc?with9wnerBwnloAword<work<woulBwrap@writ<wserAww.aAww.gBwww.>x\n  Cx = @x.jsCx000@x65,A" +
	"x6e,Cx6f,Ax74,Bx;\n Cxamp=xcep=xcluAxecu?xed3Cxed6CximuBxist>xit Axml:;xpanBxpec=xpirCxpliBxpor;xpre>xslt>xt =Bxt, @xt: @xten<xter@xtra@xxxx<y\n  ?y = ?y a Ay anB" +
	"y apAy beAy chBy co@y deAy exCy foAy in@y isAy liBy no@y obAy of?y onBy prCy re@y seBy stBy th>y to@y usBy wiBy {\nCy\"\n By\",\nAy\": @y\"`\nBy.\n\nCy.\n Ay.  B" +
	"y:\n AyConByObjCyamlBybacByingAyle CylesCyloaBymbo?yn kAyn m@ynamCync Aynta@you <your?ype\nBype ;ype\"=ype(>ype)Aype,Aype.?ype:=ype=?ypeECype_Ayped@ypenAypeo@ypes<" +
	"ypto@yrig?ysca?yste>yte Bytes=ytho?ywor>zati?ze_tAzed Bzel.CzeofCzeroAzoneBzureB{\n\t\t9{\n\tcC{\n\tiA{\n\tr@{\n  6{ maB{ reA{\"shB{comB{proC{{ mB|\n\t\tC|\n  ?" +
	"|\n| C| nuC| unA|-\n C}\n\t\t>}\n\tiA}\n\tr@}\n\t}A}\n\n\t>}\n\n <}\n\n#B}\n\n/>}\n\neB}\n\nf>}\n\nsC}\n\ntB}\n  9}\n//C}\nfuB}\n}\n>} = B} el?} frA}\"\n B})\n C" +
	"});\n?},\n\t<},\n ;};\n\n@};\n @}\\u{B}}\n @~ /^B~~~~<"
