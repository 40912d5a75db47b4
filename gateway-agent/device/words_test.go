package device_test

import (
	"bytes"
	"errors"
	"testing"

	"nirapod/gateway-agent/device"
)

func TestWords(t *testing.T) {
	frame := device.AppendWord(device.AppendWord(nil, 0xBEEF), 0x0000)
	want := []byte{0xBE, 0xEF, 0x92, 0x00, 0x00, 0x81} // the data sheets' own examples
	if !bytes.Equal(frame, want) {
		t.Fatalf("got % x, want % x", frame, want)
	}
	words := make([]uint16, 2)
	if err := device.ReadWords(frame, words); err != nil || words[0] != 0xBEEF || words[1] != 0 {
		t.Errorf("read %x, %v", words, err)
	}
	for bit := range 8 * len(frame) {
		broken := bytes.Clone(frame)
		broken[bit/8] ^= 1 << (bit % 8)
		if err := device.ReadWords(broken, words); !errors.Is(err, device.ErrCRC) {
			t.Errorf("bit %d flipped: %v", bit, err)
		}
	}
}
