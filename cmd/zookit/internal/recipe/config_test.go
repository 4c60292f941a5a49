package recipe

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

func TestFits(t *testing.T) {
	for name, test := range map[string]struct {
		old, next string
		force, ok bool
	}{
		"another object":         {old: `{"a":1}`, next: `{"b":2}`, ok: true},
		"an object for a list":   {old: " [1] \n", next: `{}`, ok: true},
		"broken":                 {old: `{"a":1}`, next: `{"a":`},
		"a text":                 {old: `{"a":1}`, next: `a`},
		"nothing":                {old: `{"a":1}`, next: ``},
		"a text, by force":       {old: `{"a":1}`, next: `a`, force: true, ok: true},
		"a text for a number":    {old: `1`, next: `one`, ok: true},
		"a text for what was no": {old: `{"a":`, next: `a`, ok: true},
		"the first":              {next: `a`, ok: true},
	} {
		t.Run(name, func(t *testing.T) {
			err := fits("/p", []byte(test.old), []byte(test.next), test.force)
			if test.ok {
				require.NoError(t, err)
				return
			}
			require.Equal(t, app.ExitUsage, app.Code(err))
			require.ErrorContains(t, err, "--force")
		})
	}
}
