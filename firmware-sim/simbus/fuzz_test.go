package simbus

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

type script struct {
	io.Reader
	io.Writer
}

// FuzzServe feeds a client's bytes to the server: whatever they are, it ends
// without a panic, and all that it says back is well-framed replies.
func FuzzServe(f *testing.F) {
	request := func(hello string, bodies ...string) []byte {
		b := appendHello(nil, hello)
		for i, body := range bodies {
			frame := append(beginRequest(nil, uint32(i+1)), body...)
			if err := endRequest(frame); err != nil {
				f.Fatal(err)
			}
			b = append(b, frame...)
		}
		return b
	}
	f.Add(request("i2c-1", "\x00\x44\x00\x06\xe0\x00", "\x00\x44\xff\xff", "x"))
	f.Add(request("gpio", "\x00SIM_DOOR", "\x01\x01SIM_SOUNDER", "\x01\x02x", ""))
	f.Add(request("nowhere", "\x00"))
	f.Add([]byte("SIM1\x00"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		buses := func(name string) (Handler, bool) {
			switch name {
			case "i2c-1":
				return I2C(func(addr uint16, w []byte, n int) ([]byte, error) {
					if n > maxTransfer || len(w) > maxTransfer {
						t.Errorf("let %d bytes out and %d in pass", len(w), n)
					}
					if addr&1 == 1 {
						return nil, ErrNACK
					}
					return make([]byte, n), nil
				}), true
			case "gpio":
				return Pins(
					func(pin string) (bool, error) { return pin == "SIM_DOOR", checkName(pin) },
					func(pin string, _ bool) error { return checkName(pin) },
				), true
			}
			return nil, false
		}
		var out bytes.Buffer
		if err := serve(script{bytes.NewReader(in), &out}, buses, nil); err == nil && out.Len() == 0 {
			t.Error("neither an answer nor an error")
		}
		for out.Len() > 0 {
			if _, s, _, err := readReply(&out, nil); err != nil || s > statusRefused {
				t.Fatalf("reply with status %d: %v", s, err)
			}
		}
	})
}

func checkName(pin string) error {
	if pin == "" || len(pin) > maxName {
		return errors.New("a name that should not have passed")
	}
	return nil
}

// FuzzReply feeds a server's bytes to the client's decoder: any reply is a
// value or an error of a known kind, and never more than the bytes given.
func FuzzReply(f *testing.F) {
	f.Add(appendReply(nil, 7, statusOK, []byte{1, 2, 3}))
	f.Add(appendReply(nil, 7, statusRefused, []byte("no")))
	f.Add([]byte{0, 0, 0, 7, 9, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		_, s, body, err := readReply(bytes.NewReader(in), nil)
		if err != nil {
			return
		}
		if len(body) > len(in)-replyHeader {
			t.Fatalf("%d bytes out of %d", len(body), len(in))
		}
		if err := errorOf(s, body); err == nil != (s == statusOK) {
			t.Fatalf("status %d became %v", s, err)
		}
	})
}
