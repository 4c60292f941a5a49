package config

import (
	"encoding/binary"
	"fmt"
)

// Count is the codec of Curator's SharedCount: a number of 32 bits in four bytes, the most significant first.
type Count struct{}

// Encode implements [recipes.Codec].
func (Count) Encode(v int32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(nil, uint32(v)), nil
}

// Decode implements [recipes.Codec].
func (Count) Decode(data []byte, into *int32) error {
	if len(data) != 4 {
		return fmt.Errorf("a SharedCount has 4 bytes, this is %d", len(data))
	}
	*into = int32(binary.BigEndian.Uint32(data))
	return nil
}
