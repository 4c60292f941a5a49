package queue

import (
	"encoding/json"
	"fmt"
)

// Codec turns items into bytes and back. Both functions must be safe for concurrent use; Decode
// gets bytes that anybody may have written, and must not keep them unless it is done with copying.
type Codec[T any] struct {
	// Name is for error texts.
	Name   string
	Encode func(T) ([]byte, error)
	Decode func([]byte) (T, error)
}

// JSON is the codec that a queue has unless [WithCodec] says otherwise: encoding/json.
func JSON[T any]() Codec[T] {
	return Codec[T]{
		Name:   "JSON",
		Encode: func(v T) ([]byte, error) { return json.Marshal(v) },
		Decode: func(data []byte) (v T, err error) {
			err = json.Unmarshal(data, &v)
			return v, err
		},
	}
}

// Bytes is the codec of items that are bytes already: they are stored as they are. The slice that
// an item holds is its own.
func Bytes() Codec[[]byte] {
	return Codec[[]byte]{
		Name:   "bytes",
		Encode: func(v []byte) ([]byte, error) { return v, nil },
		Decode: func(data []byte) ([]byte, error) { return data, nil },
	}
}

// Text is the codec of items that are stored as their text, unquoted: what Kazoo's and Curator's
// queues are mostly used with.
func Text() Codec[string] {
	return Codec[string]{
		Name:   "text",
		Encode: func(v string) ([]byte, error) { return []byte(v), nil },
		Decode: func(data []byte) (string, error) { return string(data), nil },
	}
}

func (c Codec[T]) encode(v T) ([]byte, error) {
	data, err := c.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("encode the item as %s: %w", c.Name, err)
	}
	return data, nil
}

func (c Codec[T]) decode(data []byte) (T, error) {
	v, err := c.Decode(data)
	if err != nil {
		return v, fmt.Errorf("%w as %s: %w", ErrBadItem, c.Name, err)
	}
	return v, nil
}
