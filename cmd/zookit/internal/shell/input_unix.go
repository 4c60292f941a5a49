//go:build unix

package shell

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errStopped is what a read returns after stop.
var errStopped = errors.New("the shell is ending")

// Bytes that a terminal in raw mode sends, and understands.
const (
	keyInterrupt = 0x03
	keyEnd       = 0x05
	keyKill      = 0x15
)

// input reads a file so that a read can be given up, which a terminal's deadlines do not do everywhere. An interrupt key
// is turned into an empty line, since the line editor would take it for the end of the input.
type input struct {
	f          *os.File
	wake, stop *os.File // both ends of a pipe: closing stop wakes a read
	keys       bool     // f is a terminal
	pending    []byte   // read from f, and not handed on
	// interrupted is whether what was handed on last is an interrupt. It is by then all that the editor
	// has, since it asks for more only when it has used everything up.
	interrupted bool
}

func newInput(f *os.File, keys bool) (*input, error) {
	wake, stop, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &input{f: f, keys: keys, wake: wake, stop: stop}, nil
}

// Read implements io.Reader. p has room for some bytes at least.
func (i *input) Read(p []byte) (int, error) {
	if len(i.pending) == 0 {
		if err := i.wait(); err != nil {
			return 0, err
		}
		chunk := make([]byte, len(p))
		n, err := i.f.Read(chunk)
		if n == 0 {
			return 0, err
		}
		i.pending = chunk[:n]
	}
	i.interrupted = i.keys && i.pending[0] == keyInterrupt && len(p) >= 3
	if i.interrupted {
		i.pending = i.pending[1:]
		return copy(p, []byte{keyEnd, keyKill, '\r'}), nil
	}
	n := 1
	for n < len(p) && n < len(i.pending) && !(i.keys && i.pending[n] == keyInterrupt) {
		n++
	}
	copy(p, i.pending[:n])
	i.pending = i.pending[n:]
	return n, nil
}

// wait returns when there is something to read, or the end.
func (i *input) wait() error {
	in, wake := int(i.f.Fd()), int(i.wake.Fd())
	for {
		var set unix.FdSet
		set.Set(in)
		set.Set(wake)
		_, err := unix.Select(max(in, wake)+1, &set, nil, nil, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case set.IsSet(wake):
			return errStopped
		default:
			return nil
		}
	}
}

// Stop ends a read, and all further ones. It may be called at any time.
func (i *input) Stop() { _ = i.stop.Close() }

// Close is called when nobody reads any more. The file stays open.
func (i *input) Close() {
	i.Stop()
	_ = i.wake.Close()
}
