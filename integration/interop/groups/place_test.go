package groups

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
)

const (
	// steady is the session timeout of those whose session is not to end, on whatever machine.
	steady = 40 * time.Second
	// brief is that of those who are killed and expire.
	brief = 9 * time.Second
	// patience is how long anybody may have to wait for anything.
	patience = 120 * time.Second
)

// python is Debian's, for which python3-kazoo is; another one in PATH does not know it.
const python = "/usr/bin/python3"

// curatorJars are Debian's; their manifests name what they need.
var curatorJars = []string{"/usr/share/java/curator-recipes.jar", "/usr/share/java/slf4j-simple.jar"}

// place is the server, and how the libraries' programs are started on it.
type place struct {
	e        *ensemble.Ensemble
	commands map[string][]string // by kind
	kazoo    *process            // which are not killed
	curator  *process
}

// TestGroups: the elections and barriers of the three kinds. They share a server, and the processes that
// are not killed.
func TestGroups(t *testing.T) {
	p := &place{commands: map[string][]string{}}
	kazoo, curator := kazooCommand(t), curatorCommand(t)
	p.e = ensemble.Start(t, 1)
	p.commands["kazoo"] = append(kazoo, p.e.Connect())
	p.commands["curator"] = append(curator, p.e.Connect())
	p.kazoo, p.curator = p.launch(t, "kazoo"), p.launch(t, "curator")
	for name, test := range map[string]func(*testing.T, *place){
		"election with LeaderLatch":     latchElection,
		"election with LeaderSelector":  selectorElection,
		"election with Kazoo":           kazooElection,
		"barrier":                       barriers,
		"double barrier with Kazoo":     kazooDouble,
		"double barrier with Curator":   curatorDouble,
		"double barrier of three kinds": mixedDouble,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

func (p *place) launch(t *testing.T, kind string) *process {
	t.Helper()
	return launch(t, kind, p.commands[kind])
}

func (p *place) client(t *testing.T) *client.Client {
	t.Helper()
	return trial.Connect(t, p.e.Connect(), client.WithSessionTimeout(steady))
}

func kazooCommand(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), python, "-c", "import kazoo.client").CombinedOutput()
	if err != nil {
		t.Skipf("NOT TESTED: no Kazoo here (Debian: apt-get install python3-kazoo): %v\n%s", err, out)
	}
	return []string{python, "-B", "testdata/kazoo/peer.py"}
}

// curatorCommand compiles the program for Curator.
func curatorCommand(t *testing.T) []string {
	t.Helper()
	java, err := findJava()
	for _, jar := range curatorJars {
		if err == nil {
			_, err = os.Stat(jar)
		}
	}
	if err != nil {
		t.Skipf("NOT TESTED: no Curator here (Debian: apt-get install libcurator-recipes-java): %v", err)
	}
	classes := t.TempDir()
	classPath := strings.Join(append([]string{classes}, curatorJars...), string(filepath.ListSeparator))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// Debian's headless runtime has the compiler in it, and only lacks the command javac.
	out, err := exec.CommandContext(ctx, java, "-XX:TieredStopAtLevel=1", "-m", "jdk.compiler/com.sun.tools.javac.Main",
		"-proc:none", "-nowarn", "-d", classes, "-cp", classPath, "testdata/curator/Peer.java").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return []string{
		java, "-cp", classPath, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "Peer",
	}
}

// findJava finds the Java launcher as package ensemble does.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java"), nil
	}
	return exec.LookPath("java")
}
