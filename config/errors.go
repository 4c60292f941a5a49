package config

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
)

// The errors of this package; test for them with [errors.Is]. What the client reports
// (client.ErrNoAuth, client.ErrBadVersion, client.ErrClosed, the context's error) comes through wrapped.
var (
	// ErrNoDocument is returned when there is no document and no default to take its place. It
	// comes together with client.ErrNoNode.
	ErrNoDocument = fmt.Errorf("no document: %w", client.ErrNoNode)

	// ErrBadDocument is returned, reported by [Value.Err] and yielded by [Value.Updates] for a document that
	// cannot be decoded or that is not valid. What was in force before stays.
	ErrBadDocument = errors.New("bad document")

	// ErrInvalid is returned by writes of a value that [WithValidate] refuses or that cannot be
	// encoded; nothing is sent.
	ErrInvalid = errors.New("invalid value")

	// ErrNoRevision is returned by [Document.RollBack] for a revision that is not, or no longer, in the
	// history, or that says that there was no document.
	ErrNoRevision = errors.New("no such revision")
)

// ended returns nil while ctx lives, then its error together with its cause.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
