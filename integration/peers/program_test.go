package peers

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/trial"
)

// run runs a program of checks against a place; each check is a test below t.
func run(t *testing.T, p place, command ...string) {
	t.Helper()
	ctx := trial.Within(t, 4*time.Minute)
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], p.addr)...)
	cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	checks, ended := 0, ""
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		what, rest, _ := strings.Cut(lines.Text(), " ")
		switch what {
		case "ok", "failed":
			checks++
			check, why, _ := strings.Cut(rest, ": ")
			t.Run(check, func(t *testing.T) { require.Equal(t, "ok", what, why) })
		case "please":
			serve(ctx, t, p, stdin, rest)
		case "end":
			ended = rest
		default:
			t.Errorf("unknown line: %s", lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil || t.Failed() {
		t.Logf("standard error:\n%s", stderr.String())
		require.NoError(t, err)
	}
	require.Equal(t, strconv.Itoa(checks), ended, "how many checks the program has tried")
	require.Greater(t, checks, 10)
}

// serve does what a program asks for.
func serve(ctx context.Context, t *testing.T, p place, answers io.Writer, what string) {
	t.Helper()
	switch words := strings.Fields(what); {
	case what == "drop":
		p.drop()
	case len(words) == 3 && words[0] == "expire":
		id, err := strconv.ParseInt(words[1], 10, 64)
		require.NoError(t, err)
		require.NoError(t, p.expire(ctx, id, words[2]))
	default:
		t.Errorf("the program asks for %q", what)
	}
	_, err := fmt.Fprintln(answers, "done")
	require.NoError(t, err)
}
