package testmain

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// Run runs the tests of a package, and fails if a goroutine is left. Eight tests run at
// once unless -parallel says otherwise: they wait for events most of the time, so that many
// fit on few processors.
func Run(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
