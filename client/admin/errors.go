package admin

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Test for them with [errors.Is]. An error that is none of them is the network's, or
// the context's.
var (
	// ErrNotAllowed is returned for a word that is not in the server's 4lw.commands.whitelist,
	// and when the admin endpoint answers with status 401 or 403.
	ErrNotAllowed = errors.New("not allowed by the server")
	// ErrNotServing is returned by a server that runs and does not serve: it has no quorum, or
	// is starting or ending.
	ErrNotServing = errors.New("the server does not serve requests")
	// ErrNoAnswer is returned when the server ends the connection without a byte. That is how
	// it treats a word that it does not know.
	ErrNoAnswer = errors.New("no answer: the server ended the connection")
	// ErrMalformed is returned for an answer that is cut short, or not one to that word.
	ErrMalformed = errors.New("malformed answer")
	// ErrTooLong is returned for an answer over 64 MiB.
	ErrTooLong = errors.New("answer too long")
	// ErrBadArgument is returned for an address, option or word that cannot work. Nothing was sent.
	ErrBadArgument = errors.New("invalid argument")
)

// Error says who was asked for what, and why there is no answer.
type Error struct {
	// Server is the address of the client port, and the URL of the admin endpoint if
	// that was asked.
	Server string
	// Word is the four-letter word, or the command of the admin endpoint.
	Word string
	// Err is the reason.
	Err error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s of %s: %v", e.Word, e.Server, e.Err) }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

func badArgument(what, format string, args ...any) error {
	return fmt.Errorf("%w: %s: "+format, append([]any{ErrBadArgument, what}, args...)...)
}

// malformed names the line that is wrong.
func malformed(line string) error { return fmt.Errorf("%w: line %s", ErrMalformed, quote(line)) }

// missing names what an answer lacks.
func missing(what string) error {
	return fmt.Errorf("%w: it has no %s, so it is cut short or answers something else", ErrMalformed, what)
}

// quote makes a piece of an answer fit for an error's text.
func quote(s string) string {
	const most = 200
	s = strings.TrimRight(s, "\r\n")
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
