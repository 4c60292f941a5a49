package config

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Codec turns values into the data of nodes and back. It must be safe for concurrent use.
type Codec[T any] interface {
	// Encode returns the data of v.
	Encode(v T) ([]byte, error)
	// Decode reads data into *into, which holds the default or the zero value. It must not keep data, and
	// must not write to it.
	Decode(data []byte, into *T) error
}

// JSON is the default codec: a document of JSON. What an object does not mention keeps its
// default ([WithDefault]).
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

// Raw is the codec of bytes as they are, which is what Curator's SharedValue has.
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

// Count is the codec of Curator's SharedCount: a number of 32 bits in four bytes, the most significant first.
type Count struct{}

// Encode implements [Codec].
func (Count) Encode(v int32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(nil, uint32(v)), nil
}

// Decode implements [Codec].
func (Count) Decode(data []byte, into *int32) error {
	if len(data) != 4 {
		return fmt.Errorf("a SharedCount has 4 bytes, this is %d", len(data))
	}
	*into = int32(binary.BigEndian.Uint32(data))
	return nil
}
