package report

import (
	"fmt"
	"strings"
	"time"
)

// Markdown is the report for people.
func (r *Report) Markdown() string {
	done := r.FaultsDone()
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "# Fault laboratory: %s\n\n", r.verdict())
	fmt.Fprintf(&b, "`%s`\n\n", r.Command)
	fmt.Fprintf(&b, "%s, %v, seed %s, ZooKeeper %s (%s): %d ensembles of %d servers, %d worker processes each, sessions of %v.\n\n",
		r.Began.UTC().Format("2006-01-02 15:04 MST"), r.Took.Round(time.Second), strings.Trim(fmt.Sprint(r.Seeds), "[]"), r.ZooKeeper, r.Provider, r.Stages, r.Servers, r.Processes, r.Session)
	ops, grants := 0, 0
	for _, w := range r.Works {
		ops += w.Operations()
		grants += w.Grants
	}
	fmt.Fprint(&b, "| | |\n|---|---:|\n")
	for _, row := range []struct {
		what string
		n    any
	}{
		{"rounds", r.Rounds},
		{"faults", done},
		{"operations of workloads", ops},
		{"grants among them", grants},
		{"requests to ZooKeeper", r.Counts.Requests},
		{"connections", r.Counts.Connections},
		{"sessions opened", r.Counts.SessionsOpened},
		{"sessions lost", r.Counts.SessionsLost},
		{"operations of the client with unknown outcome", r.Counts.OpsUnknown},
		{"worker processes started", r.Started},
		{"**violations**", fmt.Sprintf("**%d**", len(r.Violations))},
	} {
		fmt.Fprintf(&b, "| %s | %v |\n", row.what, row.n)
	}
	fmt.Fprint(&b, "\nThe counts of processes that were killed are those of their last report, up to a tenth of a second before.\n")
	r.violations(&b, "Violations", r.Violations)
	r.violations(&b, "Trouble with the laboratory itself", r.Troubles)
	fmt.Fprint(&b, "\n## Workloads\n\n| workload | asserts | operations | ok | failed | unknown | grants | violations |\n|---|---|---:|---:|---:|---:|---:|---:|\n")
	for _, w := range r.Works {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d | %d |\n", w.Name, w.Doc, w.Operations(), w.OK, w.Failed, w.Unknown, w.Grants, w.Violations)
	}
	fmt.Fprint(&b, "\n## Faults\n\nEach is done to all workloads at once. \"Recovery\" is the longest time from the end of a single fault until the servers were whole and every process went on.\n\n")
	fmt.Fprint(&b, "| fault | what happens | alone | mixed | nothing to hit | recovery |\n|---|---|---:|---:|---:|---:|\n")
	for _, f := range r.Faults {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %.1f s |\n", f.Kind, f.Doc, f.Single, f.Mixed, f.Missed, f.Longest.Seconds())
	}
	if len(r.Absent) > 0 {
		fmt.Fprint(&b, "\n## NOT EXERCISED\n\n")
		for _, a := range r.Absent {
			fmt.Fprintf(&b, "- %s: %s\n", a.Kind, strings.ReplaceAll(a.Why, "\n", "; "))
		}
	}
	return b.String()
}

func (r *Report) verdict() string {
	switch {
	case len(r.Violations) > 0:
		return fmt.Sprintf("%d violations", len(r.Violations))
	case len(r.Troubles) > 0:
		return "no violation found, but the laboratory had trouble"
	default:
		return "no violation"
	}
}

func (r *Report) violations(b *strings.Builder, title string, vs []Violation) {
	if len(vs) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n| round | workload | rule | what was seen | kept in |\n|---:|---|---|---|---|\n", title)
	for _, v := range vs {
		fmt.Fprintf(b, "| %d | %s | %s | %s | %s |\n", v.Round, v.Work, v.Rule, cell(v.Text), v.Folder)
	}
}

// cell makes text fit into a table.
func cell(text string) string {
	const most = 600
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strings.NewReplacer("\n", "<br>", "|", "\\|").Replace(text)
}
