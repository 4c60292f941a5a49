package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/zookit/zookit/client"
)

// editorEnd bounds how long an editor may take to end when it is asked to.
const editorEnd = 10 * time.Second

// Edit has a person change the data of a node in $VISUAL or $EDITOR, and store put what has come of it where it belongs, unless
// it is as it was. If that fails the text stays in a file, which the error names. While the editor runs an interrupt is
// for it alone, and the signals that ask for an end are passed on to it.
func (e *Env) Edit(ctx context.Context, path string, data []byte, store func(ctx context.Context, edited []byte) error) error {
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	edited, file, err := e.runEditor(ctx, path, data)
	if err != nil {
		return err
	}
	if bytes.Equal(edited, data) {
		e.Say("%s is as it was", path)
		return os.Remove(file)
	}
	ctx, stopped := signal.NotifyContext(ctx, os.Interrupt)
	defer stopped()
	err = store(ctx, edited)
	if errors.Is(err, client.ErrBadVersion) {
		err = fmt.Errorf("%w: somebody else has changed it meanwhile", err)
	}
	if err != nil {
		return fmt.Errorf("%w; the text is in %s", err, file)
	}
	return os.Remove(file)
}

func (e *Env) runEditor(ctx context.Context, path string, data []byte) (edited []byte, file string, err error) {
	editor := e.Getenv("VISUAL")
	if editor == "" {
		editor = e.Getenv("EDITOR")
	}
	if editor == "" {
		return nil, "", Usagef("edit: neither VISUAL nor EDITOR says which editor")
	}
	f, err := os.CreateTemp("", "zookit-*-"+filepath.Base(path))
	if err != nil {
		return nil, "", err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, "", err
	}
	// As others do: the variable may have arguments, and is the shell's to take apart.
	cmd := exec.CommandContext(ctx, "sh", "-c", editor+` "$@"`, editor, f.Name())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.In, e.Out, e.Err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = editorEnd
	if err := cmd.Run(); err != nil {
		return nil, "", fmt.Errorf("editor %s: %w; the text is in %s", editor, err, f.Name())
	}
	edited, err = os.ReadFile(f.Name())
	return edited, f.Name(), err
}
