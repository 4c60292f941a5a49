//go:build !linux

package ensemble

import (
	"context"
	"errors"
	"fmt"
)

func layNamespaces(context.Context, int, *tether) (wiring, error) {
	return nil, fmt.Errorf("%w: cutting local servers off from each other needs Linux and its network namespaces: %w",
		ErrNoProvider, errors.ErrUnsupported)
}
