package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Edit returns what a person makes of the data of a node in $VISUAL or $EDITOR, and the file it is in, which the caller deletes.
func (e *Env) Edit(ctx context.Context, path string, data []byte) (edited []byte, file string, err error) {
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
	if err := cmd.Run(); err != nil {
		return nil, "", fmt.Errorf("editor %s: %w; the text is in %s", editor, err, f.Name())
	}
	edited, err = os.ReadFile(f.Name())
	return edited, f.Name(), err
}
