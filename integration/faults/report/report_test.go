package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/worker"
)

func example() *Report {
	r := &Report{Seeds: []uint64{5}, Command: "make faults SEED=5", ZooKeeper: "3.8.0", Provider: "jvm"}
	r.AddWork(Work{Name: "b", Doc: "does", OK: 3, Failed: 1, Grants: 2})
	r.AddWork(Work{Name: "a", Doc: "does too", OK: 1})
	r.AddWork(Work{Name: "b", OK: 7, Unknown: 4, Grants: 1})
	r.AddFault("link-cut", "it is cut", false, false)
	r.AddFault("link-cut", "it is cut", true, false)
	r.AddFault("link-cut", "it is cut", false, true)
	r.AddRecovery("link-cut", 2*time.Second)
	r.AddRecovery("link-cut", time.Second)
	r.AddRound(worker.Counts{SessionsLost: 2, Requests: 100}, 3)
	r.AddRound(worker.Counts{SessionsLost: 1, Requests: 11}, 4)
	return r
}

func TestSums(t *testing.T) {
	r := example()
	require.Equal(t, 2, r.FaultsDone())
	require.Equal(t, []*Work{{Name: "a", Doc: "does too", OK: 1}, {Name: "b", Doc: "does", OK: 10, Failed: 1, Unknown: 4, Grants: 3}}, r.Works)
	require.Equal(t, 15, r.Works[1].Operations())
	require.Equal(t, []*Fault{{Kind: "link-cut", Doc: "it is cut", Single: 1, Mixed: 1, Missed: 1, Longest: 2 * time.Second}}, r.Faults)
	text, err := r.JSON()
	require.NoError(t, err)
	var again Report
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, uint64(3), again.Counts.SessionsLost)
	require.Equal(t, 7, again.Started)
	require.Equal(t, 2, again.Rounds)
}

func TestMarkdown(t *testing.T) {
	r := example()
	text := r.Markdown()
	require.Contains(t, text, "# Fault laboratory: no violation\n")
	require.Contains(t, text, "| **violations** | **0** |")
	require.NotContains(t, text, "NOT EXERCISED")

	r.Absent = append(r.Absent, Absence{Kind: "leader-disk-full", Why: "no root\nnothing"})
	r.AddTrouble(Violation{Round: 2, Rule: "the laboratory works", Text: "it did not"})
	text = r.Markdown()
	require.Contains(t, text, "no violation found, but the laboratory had trouble")
	require.Contains(t, text, "## NOT EXERCISED\n\n- leader-disk-full: no root; nothing\n")

	r.AddViolations(Violation{Round: 3, Work: "b", Rule: "one at a time", Text: "a | b\n" + strings.Repeat("é", 1000), Folder: "out/x"})
	text = r.Markdown()
	require.Contains(t, text, "# Fault laboratory: 1 violations\n")
	require.Contains(t, text, `| 3 | b | one at a time | a \| b<br>éé`)
	require.Contains(t, text, "… | out/x |")
}
