package main

// event is a line of go test -json; see `go doc test2json` and `go help buildjson`.
type event struct {
	Action     string
	Package    string
	ImportPath string // in place of Package, of build-output and build-fail
	Test       string
	Output     string
	Elapsed    float64
}

// testKey names a test or subtest.
type testKey struct{ pkg, name string }

func (k testKey) String() string { return k.pkg + " " + k.name }
