// Package kazoo makes workers that use Kazoo, of Python, as Debian packages it.
//
// It is used as its documentation recommends: recipes with their defaults, clients with a retry without end, pipelining by its
// asynchronous calls. The queue is LockingQueue, whose items are leased. Kazoo has no batched take.
package kazoo

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/zookit/zookit/integration/bench/work"
)

//go:embed program/*.py
var program embed.FS

// python is Debian's, for which python3-kazoo is; another one in PATH does not know it.
const python = "/usr/bin/python3"

// Start makes the command of a worker; its program is written to dir.
func Start(ctx context.Context, dir, servers string) (*exec.Cmd, error) {
	if out, err := exec.CommandContext(ctx, python, "-c", "import kazoo.client").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("no Kazoo here (Debian: apt-get install python3-kazoo): %w\n%w\n%s", work.ErrAbsent, err, out)
	}
	files, err := fs.Sub(program, "program")
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, "kazoo")
	// CopyFS refuses to overwrite what an earlier call has written.
	if err := os.RemoveAll(folder); err != nil {
		return nil, fmt.Errorf("writing Kazoo's worker: %w", err)
	}
	if err := os.CopyFS(folder, files); err != nil {
		return nil, fmt.Errorf("writing Kazoo's worker: %w", err)
	}
	cmd := exec.CommandContext(ctx, python, "-B", filepath.Join(folder, "main.py"), "--servers", servers)
	cmd.Stderr = os.Stderr
	return cmd, nil
}
