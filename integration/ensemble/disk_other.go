//go:build !linux

package ensemble

import (
	"context"
	"errors"
	"fmt"
)

// disk is what there is on Linux only.
type disk struct{ dir string }

func layDisk(context.Context, string, int64, *tether) (*disk, error) {
	return nil, fmt.Errorf("%w: disks of the servers' own need Linux and its mount namespaces: %w", ErrNoProvider, errors.ErrUnsupported)
}

func (d *disk) enter(string) []string       { return nil }
func (d *disk) outside(path string) string  { return path }
func (d *disk) fill() error                 { return ErrNoDisks }
func (d *disk) free() error                 { return ErrNoDisks }
func (d *disk) close(context.Context) error { return nil }
