package shell

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArguments(t *testing.T) {
	for line, want := range map[string][]string{
		``:                         nil,
		"  \t ":                    nil,
		`# ls /`:                   nil,
		`ls  /a `:                  {"ls", "/a"},
		`set /a {"x":1,"y":[2]}`:   {"set", "/a", `{"x":1,"y":[2]}`},
		`set /a "a b"`:             {"set", "/a", "a b"},
		`set /a 'a "b" c'`:         {"set", "/a", `a "b" c`},
		`set /a "a \"b\" \\ c:\n"`: {"set", "/a", `a "b" \ c:\n`},
		`set /a ""`:                {"set", "/a", ""},
		`set /a don't`:             {"set", "/a", "don't"},
		`set /a "a"b c`:            {"set", "/a", "ab", "c"},
		`zookit get /a`:            {"get", "/a"},
		`zookit`:                   {"zookit"},
		`get /ä/ö`:                 {"get", "/ä/ö"},
	} {
		got, err := arguments(line)
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
	for line, column := range map[string]string{`get "/a`: "column 5", `set /a 'b c`: "column 8", `"`: "column 1"} {
		_, err := arguments(line)
		require.ErrorContains(t, err, column, line)
	}
}

// What completion writes into a line is read from it again.
func FuzzQuoted(f *testing.F) {
	for _, text := range []string{"", "/a", "/two words", `/"`, `/'`, `'/x y`, `"/x`, `\`, `a\"b c`, "/a'b c", "#"} {
		f.Add(text, byte(0))
		f.Add(text, byte('\''))
		f.Add(text, byte('"'))
	}
	f.Fuzz(func(t *testing.T, text string, quote byte) {
		if quote != 0 && quote != '\'' && quote != '"' || strings.ContainsAny(text, "\t\r\n") {
			return
		}
		words := split("get " + quoted(text, quote) + " x")
		require.Len(t, words, 3)
		require.Equal(t, text, words[1].text)
		require.Equal(t, 4, words[1].start)
		require.False(t, words[1].open)
	})
}

func TestColumns(t *testing.T) {
	require.Equal(t, "a  d\nb  e\nc\n", inColumns([]string{"a", "b", "c", "d", "e"}, 6))
	require.Equal(t, "a\nb\n", inColumns([]string{"a", "b"}, 1))
	require.Equal(t, "ä  b\n", inColumns([]string{"ä", "b"}, 80))
	many := make([]string, 250)
	require.Contains(t, inColumns(many, 80), "... and 50 more\n")
}
