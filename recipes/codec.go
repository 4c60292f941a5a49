package recipes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Codec turns values into the data of nodes and back: documents of package config, items of package queue. It must be safe
// for concurrent use.
type Codec[T any] interface {
	// Encode returns the data of v.
	Encode(v T) ([]byte, error)
	// Decode reads data into *into, which holds the default or the zero value. It must not keep data, and
	// must not write to it.
	Decode(data []byte, into *T) error
}

// JSON is the default codec of both: a document of JSON. What an object does not mention keeps what
// it was before.
type JSON[T any] struct {
	// Strict refuses objects that have what T does not have.
	Strict bool
	// Indent, if not empty, is what each level is indented by, for people who read the nodes.
	Indent string
}

// Encode implements [Codec].
func (c JSON[T]) Encode(v T) ([]byte, error) {
	if c.Indent != "" {
		return json.MarshalIndent(v, "", c.Indent)
	}
	return json.Marshal(v)
}

// Decode implements [Codec].
func (c JSON[T]) Decode(data []byte, into *T) error {
	if !c.Strict {
		return json.Unmarshal(data, into)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err == nil || dec.More() {
		return fmt.Errorf("something follows the document at byte %d", dec.InputOffset())
	}
	return nil
}

// Raw is the codec of bytes as they are, which is what Curator's SharedValue and the queues of both libraries have.
type Raw struct{}

// Encode implements [Codec].
func (Raw) Encode(v []byte) ([]byte, error) { return bytes.Clone(v), nil }

// Decode implements [Codec].
func (Raw) Decode(data []byte, into *[]byte) error {
	*into = bytes.Clone(data)
	return nil
}

// Text is the codec of text in UTF-8.
type Text struct{}

// Encode implements [Codec].
func (Text) Encode(v string) ([]byte, error) {
	if !utf8.ValidString(v) {
		return nil, errors.New("the text is not UTF-8")
	}
	return []byte(v), nil
}

// Decode implements [Codec].
func (Text) Decode(data []byte, into *string) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("the %d bytes are not UTF-8", len(data))
	}
	*into = string(data)
	return nil
}
