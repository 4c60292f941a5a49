package sasl

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBadLogins(t *testing.T) {
	for bad, says := range map[string]string{
		"":                              "it is empty",
		"s3cret\n":                      "control character at byte 6",
		"s3cret\x00":                    "control character at byte 6",
		"\x7fs3cret":                    "control character at byte 0",
		"s3cret\xff":                    "it is not UTF-8",
		strings.Repeat("s3cret.x", 129): "it has 1032 bytes, the limit is 1024",
	} {
		_, err := NewLogin(bad, "fine")
		require.ErrorContains(t, err, "user name: ")
		require.ErrorContains(t, err, says)
		_, err = NewLogin("fine", bad)
		require.ErrorContains(t, err, "password: ")
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "s3cret")
	}
	l, err := NewLogin(strings.Repeat("ü", 512), strings.Repeat(" ", 1024))
	require.NoError(t, err)
	require.Len(t, l.User(), 1024)
}

func TestPasswordIsNotPrinted(t *testing.T) {
	l, err := NewLogin("alice", "s3cret")
	require.NoError(t, err)
	type holder struct{ Login *Login }
	type hidden struct{ login Login }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, value := range []any{l, holder{l}, &holder{l}, hidden{*l}, l.Start("s", "h")} {
			require.NotContains(t, fmt.Sprintf(verb, value), "s3cret")
			require.NotContains(t, fmt.Sprintf(verb, value), fmt.Sprintf("%x", "s3cret"))
		}
	}
	require.Equal(t, "alice", fmt.Sprint(l))
	require.Equal(t, `sasl.Login("alice")`, fmt.Sprintf("%#v", l))
}

// Where MD5 is forbidden the login is refused; the digest would panic.
func TestWhereMD5IsForbidden(t *testing.T) {
	if os.Getenv("GODEBUG") == "fips140=only" {
		_, err := NewLogin("alice", "s3cret")
		require.ErrorContains(t, err, "fips140=only")
		return
	}
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestWhereMD5IsForbidden$")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PASS")
}
