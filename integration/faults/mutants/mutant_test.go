package mutants

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/workload"
)

const root = "../../.."

// Every mutant can still be planted, is legal Go, and names a workload that there is.
func TestMutantsCanBePlanted(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All() {
		t.Run(m.Name, func(t *testing.T) {
			require.False(t, seen[m.Name], "the name is taken")
			seen[m.Name] = true
			_ = workload.Lookup
			overlay, err := m.Overlay(root, t.TempDir())
			require.NoError(t, err)
			packages := []string{}
			for _, e := range m.Edits {
				packages = append(packages, "github.com/zookit/zookit/"+filepath.ToSlash(filepath.Dir(e.File)))
			}
			out, err := exec.CommandContext(t.Context(), "go", append([]string{"build", "-overlay", overlay}, packages...)...).CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
	}
}

// What a mutant changes has to be there.
func TestEditOfWhatIsNotThere(t *testing.T) {
	_, err := Mutant{Name: "m", Edits: []Edit{{File: "recipes/grant.go", Old: "no such text", New: "x"}}}.Overlay(root, t.TempDir())
	require.ErrorContains(t, err, "recipes/grant.go")
	_, err = Mutant{Name: "m"}.Overlay(root, t.TempDir())
	require.ErrorContains(t, err, "changes nothing")
}
