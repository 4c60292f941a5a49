package peers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// workers is where the Go workers of this module are.
const workers = "github.com/zookit/zookit/integration/bench/"

// goWorker is a worker of this module, built when it is first started.
func goWorker(name string) func(ctx context.Context, dir, servers string) (*exec.Cmd, error) {
	return func(ctx context.Context, dir, servers string) (*exec.Cmd, error) {
		program := filepath.Join(dir, name)
		if _, err := os.Stat(program); err != nil {
			out, err := exec.CommandContext(ctx, "go", "build", "-o", program, workers+name).CombinedOutput()
			if err != nil {
				return nil, fmt.Errorf("building %s, in a folder of the repository: %w\n%s", name, err, out)
			}
		}
		cmd := exec.CommandContext(ctx, program, "-servers", servers)
		cmd.Stderr = os.Stderr
		return cmd, nil
	}
}
