package scanner

// A Fingerprinter makes fingerprints.
type Fingerprinter struct{ Key []byte }
