package services

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/discovery"
)

const (
	// patience is how long anybody may have to wait for anything.
	patience = 120 * time.Second
	// brief is the session timeout of those who are killed or expire, steady that of the others.
	brief, steady = 6 * time.Second, 40 * time.Second
)

// curatorJars are Debian's; their manifests do not name all that they need.
var curatorJars = []string{
	"/usr/share/java/curator-x-discovery.jar", "/usr/share/java/curator-recipes.jar", "/usr/share/java/jackson-databind.jar",
	"/usr/share/java/jackson-core.jar", "/usr/share/java/jackson-annotations.jar", "/usr/share/java/slf4j-simple.jar",
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
		t.Skipf("NOT TESTED: no service discovery of Curator's here (Debian: apt-get install libcurator-discovery-java libcurator-recipes-java): %v", err)
	}
	classes := t.TempDir()
	classPath := strings.Join(append([]string{classes}, curatorJars...), string(filepath.ListSeparator))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// Debian's headless runtime has the compiler in it, and only lacks the command javac.
	out, err := exec.CommandContext(ctx, java, "-XX:TieredStopAtLevel=1", "-m", "jdk.compiler/com.sun.tools.javac.Main",
		"-proc:none", "-nowarn", "-d", classes, "-cp", classPath, "-sourcepath", "testdata/curator",
		"testdata/curator/Peer.java", "testdata/curator/org/springframework/cloud/zookeeper/discovery/ZookeeperInstance.java").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return []string{
		java, "-cp", classPath, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx96m", "Peer",
	}
}

// findJava finds the Java launcher as package ensemble does.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java"), nil
	}
	return exec.LookPath("java")
}

// peer is a process of Curator's.
type peer struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string
}

// launch starts a peer, which ends with the test.
func launch(t *testing.T, command []string, address string, timeout time.Duration, base string) *peer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &peer{lines: make(chan string, 100)}
	args := append(slices.Clone(command[1:]), address, fmt.Sprint(timeout.Milliseconds()), base)
	p.cmd = exec.CommandContext(ctx, command[0], args...)
	p.cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	p.cmd.Stderr = &stderr
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.lines)
		for in := bufio.NewScanner(stdout); in.Scan(); {
			p.lines <- in.Text()
		}
	}()
	t.Cleanup(func() {
		cancel()
		for range p.lines { // until it has ended
		}
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("standard error of the peer:\n%s", stderr.String())
		}
	})
	require.Equal(t, "ready", p.hear(t))
	return p
}

func (p *peer) hear(t *testing.T) string {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case line, ok := <-p.lines:
		require.True(t, ok, "the peer has ended")
		return line
	case <-timer.C:
		require.FailNow(t, "the peer says nothing")
		panic("unreachable")
	}
}

// tell returns the answer.
func (p *peer) tell(t *testing.T, words ...string) string {
	t.Helper()
	_, err := fmt.Fprintln(p.stdin, strings.Join(words, " "))
	require.NoError(t, err)
	answer := p.hear(t)
	require.NotContains(t, answer, "failed", "%v", words)
	return answer
}

// list asks for instances.
func (p *peer) list(t *testing.T, words ...string) []discovery.Instance {
	t.Helper()
	out := []discovery.Instance{}
	for text := range strings.FieldsSeq(p.tell(t, words...)) {
		i, err := discovery.Decode(plain(t, text))
		require.NoError(t, err)
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b discovery.Instance) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (p *peer) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
}

func coded(t *testing.T, i discovery.Instance, full bool) string {
	t.Helper()
	data, err := discovery.Encode(i, full)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(data)
}

func plain(t *testing.T, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	return data
}
