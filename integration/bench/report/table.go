package report

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Table is lines of cells under a head.
type Table struct {
	Head  []string
	Lines [][]string
}

// Text is the table for terminals.
func (t Table) Text() string {
	widths := make([]int, len(t.Head))
	for _, line := range append([][]string{t.Head}, t.Lines...) {
		for i, c := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	write := func(line []string) {
		var row strings.Builder
		for i, c := range line {
			row.WriteString(c + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)+2))
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	write(t.Head)
	for _, line := range t.Lines {
		write(line)
	}
	return b.String()
}

// Markdown is the table for documents.
func (t Table) Markdown() string {
	var b strings.Builder
	write := func(line []string) {
		for _, c := range line {
			b.WriteString("| " + strings.ReplaceAll(c, "|", "\\|") + " ")
		}
		b.WriteString("|\n")
	}
	write(t.Head)
	b.WriteString(strings.Repeat("|---", len(t.Head)) + "|\n")
	for _, line := range t.Lines {
		write(line)
	}
	return b.String()
}

// missing stands for what was not measured.
const missing = "–"

// number writes three digits that count, and thousands apart.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return missing
	case a >= 100:
		return thousands(int64(math.Round(v)))
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// withUnit is a number with its unit.
func withUnit(v float64, m Metric) string {
	if math.IsNaN(v) {
		return missing
	}
	switch m.Unit {
	case "":
		return number(v)
	case "/s":
		return number(v) + m.Unit
	}
	return number(v) + " " + m.Unit
}

// Verdicts is the table of the goals.
func Verdicts(goals []Goal, rs Results) Table {
	t := Table{Head: []string{"work", "figure", "ours", "theirs", "reached (least–greatest)", "goal", "met"}}
	for _, g := range goals {
		v := g.Judge(rs)
		t.Lines = append(t.Lines, []string{g.Title, g.Metric.Name, withUnit(v.Ours, g.Metric), v.theirs(), v.reached(), v.goal(), v.met()})
	}
	return t
}

func (v Verdict) theirs() string {
	switch {
	case v.Kind == Alone:
		return ""
	case v.Rival == "":
		return missing
	}
	return v.Rival + " " + withUnit(v.Theirs, v.Metric)
}

func (v Verdict) reached() string {
	if v.Reached.N == 0 {
		return missing
	}
	one := func(x float64) string {
		if v.Kind == Ratio {
			return number(x)
		}
		return withUnit(x, v.Metric)
	}
	if v.Reached.N == 1 {
		return one(v.Reached.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", one(v.Reached.Median), number(v.Reached.Least), number(v.Reached.Greatest))
}

func (v Verdict) goal() string {
	sign := "≤ "
	if v.AtLeast {
		sign = "≥ "
	}
	if v.Kind == Ratio {
		return sign + fmt.Sprintf("%g ×", v.Bound)
	}
	return strings.TrimSpace(sign + fmt.Sprintf("%g %s", v.Bound, v.Metric.Unit))
}

func (v Verdict) met() string {
	met, known := v.Met()
	switch {
	case !known:
		return "not measured"
	case met:
		return "yes"
	}
	return "no"
}
