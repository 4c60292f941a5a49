package image

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Repository is the name of the images that this package makes.
const Repository = "zookit/zookeeper"

// Latest is a second tag on the newest image, for people. Tests use [Tag].
const Latest = Repository + ":debian"

// source is everything that decides what is in the image. Besides giving the
// image its tag, the entry point is compiled from it: that works wherever the
// calling program runs.
//
//go:embed *.go entrypoint/*.go
var source embed.FS

// Tag is the full name of the image that this version of the package makes.
func Tag() string {
	h := sha256.New()
	fmt.Fprintln(h, runtime.GOARCH)
	err := eachSource(".", func(name string, text []byte) error {
		fmt.Fprintln(h, name, len(text))
		h.Write(text)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("image: read embedded source: %v", err)) // cannot happen: it is in the binary
	}
	return Latest + "-" + hex.EncodeToString(h.Sum(nil))[:12]
}

// eachSource calls f for every embedded file below dir, tests left out, in
// the order of their names.
func eachSource(dir string, f func(name string, text []byte) error) error {
	return fs.WalkDir(source, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := source.ReadFile(name)
		if err != nil {
			return err
		}
		return f(name, text)
	})
}

// Result says what [Ensure] did.
type Result struct {
	// Tag is the image's name.
	Tag string
	// Built tells whether the image was made now.
	Built bool
	// ZooKeeper is the Debian version of ZooKeeper in a new image, Runtime how
	// its Java came about, Bytes the size of its files.
	ZooKeeper, Runtime string
	Bytes              int64
	// Took is how long all of it took.
	Took time.Duration
}

// String is one line for people.
func (r Result) String() string {
	if !r.Built {
		return fmt.Sprintf("%s is there already", r.Tag)
	}
	return fmt.Sprintf("built %s: ZooKeeper %s, %s, %d MB, in %.1f s",
		r.Tag, r.ZooKeeper, r.Runtime, r.Bytes/1e6, r.Took.Seconds())
}

// Ensure makes the image unless the engine has it. One process at a time
// builds; the others wait for it and then find the image. What is missing on
// the host is installed with apt-get, which needs root.
func Ensure(ctx context.Context, engine client.ImageAPIClient) (Result, error) {
	begin := time.Now()
	tag := Tag()
	there, err := Present(ctx, engine, tag)
	if err != nil || there {
		return Result{Tag: tag, Took: time.Since(begin)}, err
	}
	if runtime.GOOS != "linux" {
		return Result{}, fmt.Errorf("image %s: can be built on Debian only, this is %s; pull an official image instead (docker pull zookeeper:3.9)", tag, runtime.GOOS)
	}
	unlock, err := lock(ctx, filepath.Join(os.TempDir(), fmt.Sprintf("zookit-image-%d.lock", os.Getuid())))
	if err != nil {
		return Result{}, fmt.Errorf("image %s: %w", tag, err)
	}
	defer unlock()
	there, err = Present(ctx, engine, tag)
	if err != nil || there {
		return Result{Tag: tag, Took: time.Since(begin)}, err
	}
	result, err := build(ctx, engine, tag)
	if err != nil {
		return Result{}, fmt.Errorf("image %s: %w", tag, err)
	}
	result.Took = time.Since(begin)
	return result, nil
}

// Present tells whether the engine has an image of this name.
func Present(ctx context.Context, engine client.ImageAPIClient, name string) (bool, error) {
	_, err := engine.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up image %s: %w", name, err)
	}
	return true, nil
}
