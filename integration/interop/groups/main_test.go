package groups

import (
	"flag"
	"os"
	"testing"
)

// TestMain has all tests run side by side unless something else was asked for: they mostly wait for
// sessions to expire, which must not take turns.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
