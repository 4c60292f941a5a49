//go:build linux

package ensemble

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// disk is a small file system in memory, seen in a mount namespace of its own, which a process
// holds. The data lives as long as that, over all starts of the server, and goes with it, however
// this process ends.
type disk struct {
	dir     string // where it is mounted, in the namespace
	holder  *holder
	nsenter string
}

func layDisk(ctx context.Context, dir string, size int64, t *tether) (*disk, error) {
	d := &disk{dir: dir}
	err := d.lay(ctx, size, t)
	if err != nil {
		return nil, errors.Join(
			fmt.Errorf("%w: a disk of a server's own needs a mount namespace, so root (or CAP_SYS_ADMIN), "+
				"mount and nsenter (Debian: apt-get install mount util-linux): %w", ErrNoProvider, err),
			d.close(context.WithoutCancel(ctx)))
	}
	return d, nil
}

func (d *disk) lay(ctx context.Context, size int64, t *tether) (err error) {
	if d.nsenter, err = findTool("nsenter"); err != nil {
		return err
	}
	mount, err := findTool("mount")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	if d.holder, err = hold(t, syscall.CLONE_NEWNS); err != nil {
		return err
	}
	for _, line := range [][]string{
		{mount, "--make-rprivate", "/"}, // what follows is seen in the namespace only
		{mount, "-t", "tmpfs", "-o", "mode=0700,size=" + strconv.FormatInt(size, 10), "zookit-test", d.dir},
	} {
		line = append(d.enter(d.dir), line...)
		if out, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(line, " "), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// enter is the command that runs another one in the namespace, in its own place, in the folder wd.
func (d *disk) enter(wd string) []string {
	if d == nil {
		return nil
	}
	return []string{d.nsenter, fmt.Sprintf("--mount=/proc/%d/ns/mnt", d.holder.child.pid()), "--wd=" + wd, "--"}
}

// outside is the way to a file of the namespace from outside of it.
func (d *disk) outside(path string) string {
	if d == nil {
		return path
	}
	return filepath.Join("/proc", strconv.Itoa(d.holder.child.pid()), "root", path)
}

func (d *disk) filler() string { return d.outside(filepath.Join(d.dir, "filler")) }

// fill takes all that is left, down to the last page.
func (d *disk) fill() error {
	if d == nil {
		return ErrNoDisks
	}
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	var at int64
	for piece := int64(1 << 20); piece >= int64(os.Getpagesize()); {
		switch err := syscall.Fallocate(int(f.Fd()), 0, at, piece); {
		case errors.Is(err, syscall.ENOSPC):
			piece /= 2
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return err
		default:
			at += piece
		}
	}
	return nil
}

func (d *disk) free() error {
	if d == nil {
		return ErrNoDisks
	}
	if err := os.Remove(d.filler()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *disk) close(ctx context.Context) error {
	if d.holder == nil {
		return nil
	}
	return d.holder.close(ctx)
}
