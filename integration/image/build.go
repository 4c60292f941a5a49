package image

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/moby/moby/client"
)

// changes are the image's settings, as lines of a Dockerfile.
var changes = []string{
	`ENTRYPOINT ["/entrypoint"]`,
	`CMD ["zkServer.sh", "start-foreground"]`,
	`ENV PATH=/opt/java/openjdk/bin:/usr/local/bin`,
	`ENV LANG=C.UTF-8`,
	`EXPOSE 2181 2888 3888`,
	`VOLUME /data /datalog /logs`,
	`USER 1000:1000`,
	`LABEL org.zookit.image=zookeeper`,
}

// build makes the image's files in a scratch folder and hands them to the
// engine as one layer.
func build(ctx context.Context, engine client.ImageAPIClient, tag string) (Result, error) {
	version, err := zookeeperPackage(ctx)
	if err != nil {
		return Result{}, err
	}
	root, err := os.MkdirTemp("", "zookit-image-")
	if err != nil {
		return Result{}, fmt.Errorf("make a scratch folder: %w", err)
	}
	defer os.RemoveAll(root)

	runtime, err := addJava(ctx, root)
	if err != nil {
		return Result{}, err
	}
	for _, step := range []func(context.Context, string) error{addLibraries, addJars, addEntrypoint, addSystem} {
		if err := step(ctx, root); err != nil {
			return Result{}, err
		}
	}
	size, err := importTree(ctx, engine, root, tag)
	if err != nil {
		return Result{}, err
	}
	if _, err := engine.ImageTag(ctx, client.ImageTagOptions{Source: tag, Target: Latest}); err != nil {
		return Result{}, fmt.Errorf("tag %s: %w", Latest, err)
	}
	return Result{Tag: tag, Built: true, ZooKeeper: version, Runtime: runtime, Bytes: size}, nil
}

// importTree sends the files below root to the engine. The archive is written
// as it is read, so that nothing of it is kept.
func importTree(ctx context.Context, engine client.ImageAPIClient, root, tag string) (int64, error) {
	type outcome struct {
		size int64
		err  error
	}
	r, w := io.Pipe()
	packed := make(chan outcome, 1)
	go func() {
		size, err := pack(w, root)
		w.CloseWithError(err)
		packed <- outcome{size, err}
	}()
	answer, err := engine.ImageImport(ctx, client.ImageImportSource{Source: r, SourceName: "-"}, tag,
		client.ImageImportOptions{Message: "made by zookit/integration/image", Changes: changes})
	var said []byte
	if err == nil {
		said, err = io.ReadAll(answer)
		answer.Close()
	}
	// Ends the packer if the engine gave up on the archive in the middle.
	r.CloseWithError(io.ErrClosedPipe)
	done := <-packed
	if err == nil && done.err != nil {
		err = done.err
	}
	// An error in the middle comes in the body of an answer that began well.
	if err == nil && strings.Contains(string(said), `"error"`) {
		err = fmt.Errorf("the engine answered %s", strings.TrimSpace(string(said)))
	}
	if err != nil {
		return 0, fmt.Errorf("import: %w", err)
	}
	return done.size, nil
}

// addEntrypoint compiles the entry point from its embedded source.
func addEntrypoint(ctx context.Context, root string) error {
	dir, err := os.MkdirTemp("", "zookit-entrypoint-")
	if err != nil {
		return fmt.Errorf("entry point: make a scratch folder: %w", err)
	}
	defer os.RemoveAll(dir)
	err = eachSource("entrypoint", func(name string, text []byte) error {
		return os.WriteFile(filepath.Join(dir, filepath.Base(name)), text, 0o644)
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module entrypoint\n\ngo 1.26\n"), 0o644)
	}
	if err != nil {
		return fmt.Errorf("entry point: write its source: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
		"-o", filepath.Join(root, "entrypoint"), ".")
	cmd.Dir = dir
	// The caller may be one of many modules in a workspace, or have flags for
	// its own build: none of that concerns this one.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "GO111MODULE=on", "PWD="+dir)
	if _, err := output(cmd); err != nil {
		return fmt.Errorf("entry point: %w", err)
	}
	return nil
}

// maxSaid bounds how much of a command's own words an error repeats.
const maxSaid = 2000

// output runs cmd and returns what it printed; where it fails, the error
// holds the end of what it said.
func output(cmd *exec.Cmd) (string, error) {
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(errs.String() + out.String())
		if len(said) > maxSaid {
			said = "..." + said[len(said)-maxSaid:]
		}
		return "", fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, said)
	}
	return out.String(), nil
}
