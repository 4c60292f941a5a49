package config

import (
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// settings is what options change.
type settings[T any] struct {
	codec       recipes.Codec[T]
	fallback    *T
	validate    func(T) error
	keep        int
	historyRoot string
	layers      *Binding[T]
}

// Option changes how a [Document] or a [Value] works. An option that cannot be is reported by the
// first call, not ignored.
type Option[T any] func(*settings[T]) error

// WithCodec sets how values become data. The default is [recipes.JSON].
func WithCodec[T any](c recipes.Codec[T]) Option[T] {
	return func(s *settings[T]) error {
		if c == nil {
			return fmt.Errorf("%w: the codec is nil", client.ErrBadArgument)
		}
		s.codec = c
		return nil
	}
}

// WithDefault sets the value that is in force while there is no document, and from which a document's
// value starts: what a JSON object does not mention has the default's value.
func WithDefault[T any](v T) Option[T] {
	return func(s *settings[T]) error {
		s.fallback = &v
		return nil
	}
}

// WithValidate has each value checked before it comes into force, and before it is written. check
// returns what is wrong; it may be called at any time, on several goroutines at once, and must not close
// the [Value].
func WithValidate[T any](check func(T) error) Option[T] {
	return func(s *settings[T]) error {
		if check == nil {
			return fmt.Errorf("%w: the check is nil", client.ErrBadArgument)
		}
		s.validate = check
		return nil
	}
}

// The defaults of the history.
const (
	// DefaultHistory is how many replaced versions of a document are kept.
	DefaultHistory = 10
	// DefaultHistoryRoot is below which node they are.
	DefaultHistoryRoot = "/zookit/history"

	mostHistory = 1000
)

// WithHistory sets how many replaced versions of the document are kept, from 0 to 1000; the default is
// [DefaultHistory]. All writers of a document should say the same. It is by the history that a write whose reply was
// lost is recognised: with 0 there is none, writes need no rights but to the document, and
// [Document.Update] returns an error of unknown outcome where it cannot know.
func WithHistory[T any](keep int) Option[T] {
	return func(s *settings[T]) error {
		if keep < 0 || keep > mostHistory {
			return fmt.Errorf("%w: WithHistory(%d) is not between 0 and %d", client.ErrBadArgument, keep, mostHistory)
		}
		s.keep = keep
		return nil
	}
}

// WithHistoryRoot sets below which node histories are kept, in one directory for each document. The
// default is [DefaultHistoryRoot]. It has to be the same for all writers of a document.
func WithHistoryRoot[T any](path string) Option[T] {
	return func(s *settings[T]) error {
		if err := client.CheckPath(path); err != nil {
			return fmt.Errorf("WithHistoryRoot: %w", err)
		}
		if path == "/" {
			return fmt.Errorf("%w: WithHistoryRoot(%q): the root has other children", client.ErrBadArgument, path)
		}
		s.historyRoot = path
		return nil
	}
}

// WithBinding lays the settings of environment and command line around the document, see [Bind]. Its
// defaults are the document's.
func WithBinding[T any](b *Binding[T]) Option[T] {
	return func(s *settings[T]) error {
		if b == nil {
			return fmt.Errorf("%w: the binding is nil", client.ErrBadArgument)
		}
		s.layers = b
		return nil
	}
}

// configure checks what every constructor is given.
func configure[T any](cl *client.Client, path string, opts []Option[T]) (settings[T], error) {
	s := settings[T]{codec: recipes.JSON[T]{}, keep: DefaultHistory, historyRoot: DefaultHistoryRoot}
	if cl == nil {
		return s, fmt.Errorf("%w: the client is nil", client.ErrBadArgument)
	}
	if err := client.CheckPath(path); err != nil {
		return s, err
	}
	for i, opt := range opts {
		if opt == nil {
			return s, fmt.Errorf("%w: option %d is nil", client.ErrBadArgument, i)
		}
		if err := opt(&s); err != nil {
			return s, err
		}
	}
	if s.layers != nil {
		if s.fallback != nil {
			return s, fmt.Errorf("%w: WithDefault and WithBinding: the binding has the defaults", client.ErrBadArgument)
		}
		s.fallback = &s.layers.defaults
	}
	return s, nil
}

// encode checks a value and turns it into data.
func (s *settings[T]) encode(v T) ([]byte, error) {
	if s.validate != nil {
		if err := s.validate(v); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	data, err := s.codec.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return data, nil
}

// base is where a document's value starts.
func (s *settings[T]) base() T {
	var zero T
	if s.fallback == nil {
		return zero
	}
	return deepCopy(*s.fallback)
}

// decode turns a document's data into its value, without what environment and command line say.
func (s *settings[T]) decode(data []byte) (T, error) {
	v := s.base()
	if err := s.codec.Decode(data, &v); err != nil {
		return v, fmt.Errorf("%w: %w", ErrBadDocument, err)
	}
	return v, s.check(v)
}

func (s *settings[T]) check(v T) error {
	if s.validate == nil {
		return nil
	}
	if err := s.validate(v); err != nil {
		return fmt.Errorf("%w: %w", ErrBadDocument, err)
	}
	return nil
}

// effective is what comes into force with a document, or with none: nil.
func (s *settings[T]) effective(data []byte, exists bool) (T, error) {
	v := s.base()
	if s.layers != nil {
		if err := s.layers.environment(&v); err != nil {
			return v, err
		}
	}
	if exists {
		if err := s.codec.Decode(data, &v); err != nil {
			return v, fmt.Errorf("%w: %w", ErrBadDocument, err)
		}
	} else if s.fallback == nil {
		return v, ErrNoDocument
	}
	if s.layers != nil {
		s.layers.explicit(&v)
	}
	return v, s.check(v)
}
