package simbus

import "fmt"

const (
	opRead  = 0
	opWrite = 1
)

// GPIO is a simulated bank of pins. Unlike periph's pins it never turns an
// error into a level. It is safe for concurrent use.
type GPIO struct{ conn *Conn }

// DialGPIO returns the bank at a URL such as sim://127.0.0.1:7762/gpio. Only a
// bad URL is an error here: it connects at the first Read or Write, and again
// at the next one after a break.
func DialGPIO(url string) (*GPIO, error) {
	c, err := Open(url)
	if err != nil {
		return nil, err
	}
	return &GPIO{c}, nil
}

// Read returns the level of an input now; bounce and all, without debouncing.
// An output or an unknown pin is an error wrapping ErrRefused.
func (g *GPIO) Read(pin string) (level bool, err error) {
	g.conn.mu.Lock()
	defer g.conn.mu.Unlock()
	reply, err := g.conn.call(func(b []byte) []byte {
		return append(append(b, opRead), pin...)
	})
	if err != nil {
		return false, err
	}
	if len(reply) != 1 || reply[0] > 1 {
		return false, g.conn.broken(fmt.Errorf("level % x of pin %s", reply, pin))
	}
	return reply[0] == 1, nil
}

// Write drives an output. It keeps its level until the next Write, over the
// end of this connection as well. An input or an unknown pin is an error
// wrapping ErrRefused.
func (g *GPIO) Write(pin string, level bool) error {
	g.conn.mu.Lock()
	defer g.conn.mu.Unlock()
	_, err := g.conn.call(func(b []byte) []byte {
		return append(append(b, opWrite, boolByte(level)), pin...)
	})
	return err
}

// String returns the URL.
func (g *GPIO) String() string { return g.conn.String() }

// Close ends the hold on the bank and leaves the outputs as they are.
func (g *GPIO) Close() error { return g.conn.Close() }

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
