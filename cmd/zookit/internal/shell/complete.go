package shell

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/complete"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// complete completes the word before pos as far as there is no choice; choices are what there is
// to choose from, if nothing could be added.
func (s *session) complete(ctx context.Context, line string, pos int) (newLine string, newPos int, choices []string) {
	words := split(line[:pos])
	last := word{start: pos}
	if n := len(words); n > 0 && (words[n-1].open || !space(line[pos-1])) {
		last, words = words[n-1], words[:n-1]
	}
	found, alone := s.candidates(ctx, words, last.text)
	if len(found) == 0 {
		return line, pos, nil
	}
	common := found[0]
	for _, c := range found[1:] {
		n := 0
		for n < len(common) && n < len(c) && common[n] == c[n] {
			n++
		}
		common = common[:n]
	}
	for !utf8.ValidString(common) { // the choices differ within a character
		common = common[:len(common)-1]
	}
	if len(found) > 1 && common == last.text {
		for i, c := range found {
			found[i] = output.Legible(c[strings.LastIndexByte(strings.TrimSuffix(c, "/"), '/')+1:])
		}
		return line, pos, found
	}
	text := quoted(common, last.quote)
	switch quotes := text != common; {
	case len(found) == 1 && alone:
		text += " "
	case quotes:
		text = text[:len(text)-1] // which is still being written
	}
	head := line[:last.start] + text
	return head + line[pos:], len(head), nil
}

// candidates are what the last word may become, as cobra says for any shell; alone tells that a finished word is
// followed by a space.
func (s *session) candidates(ctx context.Context, before []word, typed string) (found []string, alone bool) {
	args := []string{cobra.ShellCompNoDescRequestCmd}
	for _, w := range before {
		args = append(args, w.text)
	}
	root, err := s.commands()
	if err != nil {
		return nil, false
	}
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs(append(args, typed))
	if root.ExecuteContext(ctx) != nil {
		return nil, false
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	directive, err := strconv.Atoi(strings.TrimPrefix(lines[len(lines)-1], ":"))
	if err != nil || cobra.ShellCompDirective(directive)&cobra.ShellCompDirectiveError != 0 {
		return nil, false
	}
	for _, c := range lines[:len(lines)-1] {
		if strings.HasPrefix(c, typed) {
			found = append(found, c)
		}
	}
	return found, cobra.ShellCompDirective(directive)&cobra.ShellCompDirectiveNoSpace == 0
}

// inColumns writes words below each other, in as many columns as there is room for; of many only the first.
func inColumns(words []string, width int) string {
	const shown = 200
	more := ""
	if len(words) > shown {
		more = "... and " + strconv.Itoa(len(words)-shown) + " more\n"
		words = words[:shown]
	}
	widest := 0
	for _, w := range words {
		widest = max(widest, utf8.RuneCountInString(w)+2)
	}
	columns := max(width/max(widest, 1), 1)
	rows := (len(words) + columns - 1) / columns
	var b strings.Builder
	for row := range rows {
		for i := row; i < len(words); i += rows {
			b.WriteString(words[i])
			if i+rows < len(words) {
				b.WriteString(strings.Repeat(" ", widest-utf8.RuneCountInString(words[i])))
			}
		}
		b.WriteByte('\n')
	}
	return b.String() + more
}

// resolve makes paths absolute, and puts in the one that may be missing.
func (s *session) resolve(places []complete.Place, args []string) []string {
	var out []string
	for i, arg := range args {
		if p, ok := complete.At(places, i); ok && p.Path && !(p.Prefix && arg == "") {
			slash := p.Prefix && len(arg) > 1 && strings.HasSuffix(arg, "/")
			arg = complete.Resolve(s.here, arg)
			if slash {
				arg += "/"
			}
		}
		out = append(out, arg)
	}
	if p, ok := complete.At(places, len(args)); ok && p.Path && p.Optional {
		out = append(out, s.here)
	}
	return out
}
