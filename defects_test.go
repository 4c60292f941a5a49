package zookit_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each test that docs/defects.md names exists in its package, each row names one, and each defect
// of the other libraries that concerns what is here has a row.
func TestDefectsAreTested(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	for _, path := range files(t, "_test.go") {
		dir, _, ok := strings.Cut(path, "/")
		if !ok || strings.Count(path, "/") != 1 {
			continue
		}
		for _, m := range declared.FindAllStringSubmatch(read(t, path), -1) {
			tests[dir+"."+m[1]] = true
		}
	}
	named := regexp.MustCompile("`(\\w+\\.Test\\w+)`")
	rows := map[string]bool{}
	for line := range strings.Lines(read(t, "docs/defects.md")) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.HasPrefix(cells[1], "-") || cells[1] == " no. " {
			require.NotRegexp(t, `^\| (K|C|–)`, line, "a row has four cells")
			continue
		}
		rows[strings.TrimSpace(cells[1])] = true
		names := named.FindAllStringSubmatch(cells[4], -1)
		require.NotEmpty(t, names, "no test: %s", line)
		for _, m := range names {
			require.True(t, tests[m[1]], "%s is named in docs/defects.md and does not exist", m[1])
		}
	}
	for no := range strings.FieldsSeq("K1 K2 K3 K4 K5 K6 K7 K8 K9 K10 K11 K12 K13 K14 K15 K16 K17 K19 K20 K21 K22 K23 C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19") {
		require.True(t, rows[no], "%s is not in docs/defects.md", no)
	}
}
