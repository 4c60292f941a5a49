package admin

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// question is something to ask a server, in either way, and how to read the answer.
type question[T any] struct {
	word    string // for the client port
	command string // for the admin endpoint
	text    func(string) (T, error)
	json    func([]byte) (T, error)
}

var (
	wordForm    = regexp.MustCompile(`^[a-z]{4}$`)
	commandForm = regexp.MustCompile(`^[a-z0-9_]+$`)
)

// What servers of all versions say instead of an answer.
const (
	notAllowed = "not executed because it is not in the whitelist"
	notServing = "This ZooKeeper instance is not currently serving requests"
)

// ask puts q to s and reads the answer. Its errors are all of type *Error.
func ask[T any](ctx context.Context, s *Server, q question[T]) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout,
		fmt.Errorf("no complete answer within %v: %w", s.timeout, context.DeadlineExceeded))
	defer cancel()
	name, put := q.word, putWord[T]
	if s.url != nil {
		name, put = q.command, putCommand[T]
	}
	value, err := put(ctx, s, q)
	if err != nil {
		var none T
		return none, &Error{Server: s.String(), Word: name, Err: err}
	}
	return value, nil
}

// putWord sends the four-letter word.
func putWord[T any](ctx context.Context, s *Server, q question[T]) (T, error) {
	var none T
	if !wordForm.MatchString(q.word) {
		return none, badArgument("word", "it must have four small letters")
	}
	answer, err := s.fourLetters(ctx, q.word)
	if err != nil {
		return none, err
	}
	switch {
	case answer == "":
		return none, fmt.Errorf("%w: it does not know the word, or is only starting", ErrNoAnswer)
	case strings.HasSuffix(strings.TrimSpace(answer), notAllowed+"."):
		return none, fmt.Errorf("%w: add %s to 4lw.commands.whitelist in its zoo.cfg", ErrNotAllowed, q.word)
	case strings.TrimSpace(answer) == notServing:
		return none, ErrNotServing
	}
	return q.text(answer)
}

// putCommand asks the admin endpoint.
func putCommand[T any](ctx context.Context, s *Server, q question[T]) (T, error) {
	var none T
	if !commandForm.MatchString(q.command) {
		return none, badArgument("command", "it may have small letters, digits and underscores only")
	}
	answer, err := s.command(ctx, q.command)
	if failed, ok := errors.AsType[*statusError](err); ok && failed.code >= 500 {
		// A server that does not serve fails in the middle of some commands; ruok
		// says it in words.
		if _, why := s.command(ctx, ruok.command); errors.Is(why, ErrNotServing) {
			err = why
		}
	}
	if err != nil {
		return none, err
	}
	return q.json(answer)
}
