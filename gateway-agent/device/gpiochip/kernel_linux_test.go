package gpiochip

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"unsafe"
)

// The number of an ioctl holds the size of its argument.
func TestArgumentsHaveTheSizesOfTheKernel(t *testing.T) {
	for name, c := range map[string]struct{ size, number uintptr }{
		"chip":    {unsafe.Sizeof(chipInfo{}), ioctlChip},
		"line":    {unsafe.Sizeof(lineInfo{}), ioctlLineInfo},
		"request": {unsafe.Sizeof(lineRequest{}), ioctlRequest},
		"read":    {unsafe.Sizeof(lineValues{}), ioctlRead},
		"write":   {unsafe.Sizeof(lineValues{}), ioctlWrite},
	} {
		if want := c.number >> 16 & 0x3fff; c.size != want {
			t.Errorf("%s: %d bytes, want %d", name, c.size, want)
		}
	}
	var r lineRequest
	offsets := []uintptr{
		unsafe.Offsetof(r.consumer), unsafe.Offsetof(r.config), unsafe.Offsetof(r.config) + unsafe.Offsetof(r.config.attr),
		unsafe.Offsetof(r.lines), unsafe.Offsetof(r.fd),
	}
	if want := []uintptr{256, 288, 320, 560, 588}; !slices.Equal(offsets, want) {
		t.Errorf("fields of the request at %v, want %v", offsets, want)
	}
}

func TestWhatIsAskedOfTheKernel(t *testing.T) {
	out, err := request{lines: []string{"a", "b", "c"}, out: true, bits: 0b101}.forKernel([]uint32{7, 8, 21})
	if err != nil {
		t.Fatal(err)
	}
	a := out.config.attr[0]
	if out.lines != 3 || out.offsets[2] != 21 || out.config.flags != flagOutput || out.config.attrs != 1 ||
		a.id != attrLevels || a.value != 0b101 || a.mask != 0b111 {
		t.Errorf("outputs: %+v", out)
	}
	in, err := request{lines: []string{"a", "b"}, bits: 0b10}.forKernel([]uint32{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	a = in.config.attr[0]
	if in.config.flags != flagInput|flagPullDown || in.config.attrs != 1 || a.id != attrFlags ||
		a.value != flagInput|flagPullUp || a.mask != 0b10 {
		t.Errorf("inputs: %+v", in)
	}
	if _, err := (request{}).forKernel(make([]uint32, maxLines+1)); err == nil {
		t.Error("more lines than the kernel gives out")
	}
	if _, err := open("gpiochip-that-is-not-there", request{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a chip that is not there: %v", err)
	}
}
