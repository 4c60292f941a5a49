//go:build !linux

package image

import (
	"context"
	"errors"
)

// lock is never called here: images are built on Linux only.
func lock(context.Context, string) (unlock func(), err error) {
	return nil, errors.ErrUnsupported
}
