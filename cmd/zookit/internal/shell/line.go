package shell

import (
	"strings"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// word is a piece of a line.
type word struct {
	text  string
	start int  // where it begins in the line, its quote included
	quote byte // that it is in; 0: none
	open  bool // the quote is not closed
}

// split takes a line apart as zkCli.sh does: by spaces, but for what is in quotes. A quote is one only at the beginning of a
// word, so that {"a":1} is what it looks like. Within double quotes \" and \\ stand for " and \, and everything else for itself.
func split(line string) []word {
	var out []word
	for i := 0; i < len(line); {
		if space(line[i]) {
			i++
			continue
		}
		w := word{start: i}
		var text strings.Builder
		if c := line[i]; c == '"' || c == '\'' {
			w.quote, w.open = c, true
			for i++; i < len(line) && w.open; i++ {
				switch {
				case line[i] == c:
					w.open = false
				case c == '"' && line[i] == '\\' && i+1 < len(line) && (line[i+1] == '"' || line[i+1] == '\\'):
					i++
					text.WriteByte(line[i])
				default:
					text.WriteByte(line[i])
				}
			}
		}
		for ; i < len(line) && !space(line[i]); i++ {
			text.WriteByte(line[i])
		}
		w.text = text.String()
		out = append(out, w)
	}
	return out
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// arguments are the words of a whole line; none for an empty one, and for a comment.
func arguments(line string) ([]string, error) {
	words := split(line)
	if len(words) == 0 || strings.HasPrefix(words[0].text, "#") {
		return nil, nil
	}
	if last := words[len(words)-1]; last.open {
		return nil, app.Usagef("the quote %c at column %d is not closed", last.quote, last.start+1)
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w.text
	}
	if len(out) > 1 && out[0] == "zookit" { // as it stands in documents
		out = out[1:]
	}
	return out, nil
}

// quoted is a word as split has to find it, in the quotes that it was begun with, if any.
func quoted(text string, quote byte) string {
	if quote == 0 && text != "" && !strings.ContainsAny(text, " \t") && text[0] != '"' && text[0] != '\'' {
		return text
	}
	if quote == '\'' && !strings.Contains(text, "'") {
		return "'" + text + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
