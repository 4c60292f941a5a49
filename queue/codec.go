package queue

import (
	"fmt"

	"github.com/zookit/zookit/recipes"
)

func encode[T any](c recipes.Codec[T], v T) ([]byte, error) {
	data, err := c.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("encode the item: %w", err)
	}
	return data, nil
}

func decode[T any](c recipes.Codec[T], data []byte) (v T, err error) {
	if err := c.Decode(data, &v); err != nil {
		return v, fmt.Errorf("%w: %w", ErrBadItem, err)
	}
	return v, nil
}
