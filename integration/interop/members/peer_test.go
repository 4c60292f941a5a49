package members

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// python is Debian's, for which python3-kazoo is; another one in PATH does not know it.
const python = "/usr/bin/python3"

// curatorJars are Debian's; their manifests name what they need.
var curatorJars = []string{"/usr/share/java/curator-recipes.jar", "/usr/share/java/slf4j-simple.jar"}

// process is a program with members of a library.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	read  chan struct{} // closed when its standard output has ended
	mu    sync.Mutex
	peers map[string]*peer
}

// peer is one of its members.
type peer struct {
	*process
	name string
	said chan string
}

// launch starts a program, which ends with the test.
func launch(t *testing.T, command []string, address string) *process {
	t.Helper()
	p := &process{read: make(chan struct{}), peers: map[string]*peer{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p.cmd = exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], address)...)
	p.cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	p.cmd.Stderr = &stderr
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go p.listen(stdout)
	t.Cleanup(func() {
		defer cancel()
		_ = p.stdin.Close()
		select {
		case <-p.read:
		case <-time.After(20 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.read
		}
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("standard error of %s:\n%s", command[0], stderr.String())
		}
	})
	return p
}

// listen passes on what the members say.
func (p *process) listen(stdout io.Reader) {
	defer close(p.read)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		name, said, _ := strings.Cut(lines.Text(), " ")
		p.mu.Lock()
		m := p.peers[name]
		p.mu.Unlock()
		if m != nil {
			m.said <- said
		}
	}
}

// kill is SIGKILL.
func (p *process) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	<-p.read
}

// open makes a member with a session of its own.
func (p *process) open(ctx context.Context, t *testing.T, name string, timeout time.Duration) *peer {
	t.Helper()
	m := &peer{process: p, name: name, said: make(chan string, 1<<12)}
	p.mu.Lock()
	p.peers[name] = m
	p.mu.Unlock()
	m.ask(ctx, t, "opened", "open", fmt.Sprint(timeout.Milliseconds()))
	return m
}

func (m *peer) tell(t *testing.T, words ...string) {
	t.Helper()
	_, err := fmt.Fprintln(m.stdin, m.name, strings.Join(words, " "))
	require.NoError(t, err)
}

// hear waits for what the member says next, which has to begin with a word, and returns the rest.
func (m *peer) hear(ctx context.Context, t *testing.T, word string) string {
	t.Helper()
	select {
	case said := <-m.said:
		first, rest, _ := strings.Cut(said, " ")
		require.Equal(t, word, first, "%s: %s", m.name, said)
		return rest
	case <-m.read:
		require.FailNow(t, "the program has ended", m.name)
	case <-ctx.Done():
		require.FailNow(t, "nobody is to wait for ever", "%s: still not %q: %v", m.name, word, context.Cause(ctx))
	}
	return ""
}

// ask tells it something, and waits for the answer.
func (m *peer) ask(ctx context.Context, t *testing.T, answer string, words ...string) string {
	t.Helper()
	m.tell(t, words...)
	return m.hear(ctx, t, answer)
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
	java, err := exec.LookPath("java")
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java, err = filepath.Join(home, "bin", "java"), nil
	}
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
