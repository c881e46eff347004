package generic

import (
	"slices"
	"sync"
)

// A Contribution is what one feature adds to a score.
type Contribution struct {
	Feature string
	Weight  float64
}

// A Score is the log-odds, in thousandths, that the value of a candidate is a
// secret: 0 is one to one, 2200 nine to one.
type Score int

// Judge scores c, a candidate in data. It does not allocate.
func Judge(data []byte, c Candidate) Score {
	sum := int(weight(featureHash("bias", "", "")))
	features(data, c, func(group, a, b string) { sum += int(weight(featureHash(group, a, b))) })
	return Score(sum)
}

// Explain returns the features of c with their weights, the heaviest first.
func Explain(data []byte, c Candidate) []Contribution {
	out := []Contribution{{"bias", float64(weight(featureHash("bias", "", ""))) / 1000}}
	features(data, c, func(group, a, b string) {
		if w := weight(featureHash(group, a, b)); w != 0 {
			out = append(out, Contribution{FeatureName(group, a, b), float64(w) / 1000})
		}
	})
	slices.SortStableFunc(out, func(x, y Contribution) int {
		switch ax, ay := abs(x.Weight), abs(y.Weight); {
		case ax > ay:
			return -1
		case ax < ay:
			return 1
		}
		return 0
	})
	return out
}

// Features calls add with the name of every feature of c, for training.
func Features(data []byte, c Candidate, add func(name string)) {
	add("bias")
	features(data, c, func(group, a, b string) { add(FeatureName(group, a, b)) })
}

// FeatureName joins the parts of a feature's name.
func FeatureName(group, a, b string) string {
	switch {
	case a == "":
		return group
	case b == "":
		return group + ": " + a
	}
	return group + ": " + a + ", " + b
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}

// featureHash is FNV-1a over the name that FeatureName makes.
func featureHash(group, a, b string) uint32 {
	h := fnv(2166136261, group)
	if a != "" {
		h = fnv(fnv(h, ": "), a)
	}
	if b != "" {
		h = fnv(fnv(h, ", "), b)
	}
	return h
}

func fnv(h uint32, s string) uint32 {
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// Hash is the key of a feature in the table of weights.
func Hash(name string) uint32 { return fnv(2166136261, name) }

// weight returns the weight of a feature, 0 if training left it out.
func weight(hash uint32) int16 {
	if i, ok := slices.BinarySearch(weightHashes[:], hash); ok {
		return weights[i]
	}
	return 0
}

// longestWord returns the length of the longest dictionary word that letters
// begin with, in any case, 0 if there is none.
func longestWord(letters []byte) int {
	if len(letters) < shortestWord {
		return 0
	}
	beginnings.once.Do(countBeginnings)
	lengths := beginnings.lengths[letters[0]&31][letters[1]&31]
	for n := min(len(letters), len(dictionary)-1); n >= shortestWord; n-- {
		if lengths>>n&1 != 0 && hasWord(dictionary[n], letters[:n]) {
			return n
		}
	}
	return 0
}

// beginnings has, for the first two letters of a word, a bit for each length
// that such words have: most places of a random text begin none.
var beginnings struct {
	once    sync.Once
	lengths [32][32]uint32
}

func countBeginnings() {
	for n, joined := range dictionary {
		for i := 0; n >= shortestWord && i < len(joined); i += n {
			beginnings.lengths[joined[i]&31][joined[i+1]&31] |= 1 << n
		}
	}
}

// hasWord searches words of one length, sorted and joined.
func hasWord(joined string, w []byte) bool {
	n := len(w)
	lo, hi := 0, len(joined)/n
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch compareFold(joined[mid*n:mid*n+n], w) {
		case 0:
			return true
		case -1:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return false
}

func compareFold(s string, w []byte) int {
	for i := range len(s) {
		switch b := w[i] | 0x20; {
		case s[i] < b:
			return -1
		case s[i] > b:
			return 1
		}
	}
	return 0
}
