package counters

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long anybody may have to wait for anything.
const patience = 120 * time.Second

// python is Debian's, for which python3-kazoo is; another one in PATH does not know it.
const python = "/usr/bin/python3"

// curatorJars are Debian's; their manifests name what they need.
var curatorJars = []string{"/usr/share/java/curator-recipes.jar", "/usr/share/java/slf4j-simple.jar"}

func kazooCommand(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), python, "-c", "import kazoo.client").CombinedOutput()
	if err != nil {
		t.Skipf("NOT TESTED: no Kazoo here (Debian: apt-get install python3-kazoo): %v\n%s", err, out)
	}
	return []string{python, "-B", "testdata/kazoo/adder.py"}
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
		"-proc:none", "-nowarn", "-d", classes, "-cp", classPath, "testdata/curator/Adder.java").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return []string{
		java, "-cp", classPath, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx96m", "Adder",
	}
}

// findJava finds the Java launcher as package ensemble does.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java"), nil
	}
	return exec.LookPath("java")
}

// process is an adder.
type process struct {
	what   string
	cmd    *exec.Cmd
	did    atomic.Int64
	failed atomic.Pointer[string]
	some   chan struct{} // closed when it has added a few times
	ended  chan struct{}
	stderr bytes.Buffer
}

// launch starts an adder, which ends with the test.
func launch(t *testing.T, command []string, env ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &process{what: strings.Join(command, " "), some: make(chan struct{}), ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, command[0], command[1:]...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.WaitDelay = 10 * time.Second
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			switch what, why, _ := strings.Cut(lines.Text(), " "); what {
			case "did":
				if p.did.Add(1) == 5 {
					close(p.some)
				}
			case "failed":
				p.failed.Store(&why)
			}
		}
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-p.ended
		if t.Failed() {
			t.Logf("%s: did %d; standard error:\n%s", p.what, p.did.Load(), p.stderr.String())
		}
	})
	return p
}

// await waits for an event of the process that has to come.
func (p *process) await(ctx context.Context, t *testing.T, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-ctx.Done():
		require.FailNow(t, "waited in vain", "%s: did %d", p.what, p.did.Load())
	case <-p.ended:
		if event != p.ended {
			require.FailNow(t, "it has ended", "%s: did %d", p.what, p.did.Load())
		}
	}
	if why := p.failed.Load(); why != nil {
		require.FailNow(t, "it has failed", "%s: %s", p.what, *why)
	}
}

// kill is SIGKILL.
func (p *process) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	<-p.ended
}
