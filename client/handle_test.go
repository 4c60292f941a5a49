package client_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

var secret = []byte("0123456789abcdef")

// written is a handle in which everything is set.
func written(t testing.TB) client.SessionHandle {
	t.Helper()
	cl := connect(t, newTree(t))
	h, err := session(t, cl).Handle(t.Context())
	require.NoError(t, err)
	return h
}

func text(t testing.TB, h client.SessionHandle) string {
	t.Helper()
	line, err := h.MarshalText()
	require.NoError(t, err)
	return string(line)
}

// What is written is read again, as one line, with or without an end of line.
func TestSessionHandleText(t *testing.T) {
	t.Parallel()
	foreign, err := client.NewSessionHandle(-5, secret)
	require.NoError(t, err)
	for _, h := range []client.SessionHandle{written(t), foreign} {
		line := text(t, h)
		require.NotContains(t, line, "\n")
		for _, around := range []string{"%s", "%s\n", " %s\r\n"} {
			var back client.SessionHandle
			require.NoError(t, back.UnmarshalText(fmt.Appendf(nil, around, line)))
			require.Equal(t, h, back)
		}
		var back client.SessionHandle
		encoded, err := json.Marshal(h)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(encoded, &back))
		require.Equal(t, h.ID(), back.ID())
	}
	require.Equal(t, int64(-5), foreign.ID())
	require.Zero(t, foreign.Timeout())
}

// A line that was cut off, changed or made up is refused, in any place, and the
// handle stays as it was.
func TestSessionHandleTextThatIsBad(t *testing.T) {
	t.Parallel()
	h := written(t)
	line := text(t, h)
	bad := []string{"", " ", "zookit-session-1", "zookit-session-2" + line[len("zookit-session-1"):], line + " x", line + "\n" + line, strings.Repeat("x", 1<<20)}
	for i := range line {
		bad = append(bad, line[:i], line[:i]+"\x00"+line[i+1:], line[:i]+string(line[i]^1)+line[i+1:])
	}
	for _, b := range bad {
		got := h
		err := got.UnmarshalText([]byte(b))
		require.ErrorIs(t, err, client.ErrBadArgument, "%q", b)
		require.Equal(t, h, got)
		require.NotContains(t, err.Error(), strings.Split(line, " ")[2], "the password is in no error")
	}
	_, err := client.SessionHandle{}.MarshalText()
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = client.NewSessionHandle(0, secret)
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = client.NewSessionHandle(1, secret[:15])
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = client.Connect(t.Context(), "127.0.0.1:1", client.WithSession(client.SessionHandle{}))
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = client.Connect(t.Context(), "127.0.0.1:1", client.WithClaimPath("relative"))
	require.ErrorIs(t, err, client.ErrBadPath)
}

func FuzzSessionHandle(f *testing.F) {
	h, err := client.NewSessionHandle(7, secret)
	require.NoError(f, err)
	f.Add(text(f, h))
	f.Add("zookit-session-1 %zz 0 0 0 0 0 0 00000000")
	f.Fuzz(func(t *testing.T, in string) {
		var h client.SessionHandle
		if h.UnmarshalText([]byte(in)) == nil {
			require.Equal(t, strings.TrimSpace(in), text(t, h))
		} else {
			require.Zero(t, h)
		}
	})
}

// The password is shown by nothing that prints or logs.
func TestSessionHandleKeepsItsSecret(t *testing.T) {
	t.Parallel()
	h, err := client.NewSessionHandle(0x1234, secret)
	require.NoError(t, err)
	var out bytes.Buffer
	nested := struct {
		h client.SessionHandle
		p *client.SessionHandle
	}{h, &h}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10s"} {
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+" "+verb+"\n", h, &h, nested, []client.SessionHandle{h})
	}
	fmt.Fprintln(&out, h, h.String(), h.GoString())
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "handle", h, "nested", nested)
	}
	require.Contains(t, out.String(), "0x1234")
	for _, form := range []string{"%s", "%x", "%X", "%d", "%v", "%#v"} {
		require.NotContains(t, out.String(), strings.Trim(fmt.Sprintf(form, secret), "[]"))
	}
	require.NotContains(t, out.String(), hex.EncodeToString(secret[:4]))
}

// The handle tells what the next process needs to wait for.
func TestSessionHandleTellsTheTimeout(t *testing.T) {
	t.Parallel()
	cl := connect(t, newTree(t), client.WithSessionTimeout(7*time.Second))
	s := session(t, cl)
	h, err := s.Handle(t.Context())
	require.NoError(t, err)
	require.Equal(t, s.ID(), h.ID())
	require.Equal(t, s.Timeout(), h.Timeout())
	require.False(t, h.Detached())
	again, err := s.Handle(t.Context())
	require.NoError(t, err)
	require.Equal(t, h.ID(), again.ID())
	_, err = session(t, connect(t, newTree(t), client.WithoutConfirmation())).Handle(t.Context())
	require.ErrorIs(t, err, client.ErrBadArgument)
}
