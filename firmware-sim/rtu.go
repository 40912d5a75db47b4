package sim

import "time"

// Modbus RTU, from the specification: unit, function, data, CRC-16 low byte
// first. Over TCP nothing marks the end of a frame but its length.
const (
	rtuReadHolding = 0x03
	rtuReadInput   = 0x04
	rtuRequest     = 8 // bytes of a request that reads registers
	rtuException   = 0x80
	rtuNoFunction  = 0x01
	rtuNoAddress   = 0x02
	rtuNoValue     = 0x03
	rtuFailure     = 4 // the unit failed to do it
	rtuMaxRegister = 125

	lateBy = 0.5 // s
)

// rtuCRC is the CRC-16 of Modbus: polynomial 0xA001 reflected, from 0xFFFF.
func rtuCRC(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			carry := crc & 1
			crc >>= 1
			if carry != 0 {
				crc ^= 0xA001
			}
		}
	}
	return crc
}

func rtuFrame(b []byte) []byte {
	crc := rtuCRC(b)
	return append(b, byte(crc), byte(crc>>8))
}

// unit is an instrument on the RS-485 line.
type unit interface {
	Target() string
	powerOn(now time.Duration)
	// registers returns what a function that reads finds; nil: the unit has no
	// registers of that kind.
	registers(function byte, now time.Duration, fs faults) []uint16
}

// Serial lets the units of the RS-485 line answer one frame at now, after a
// while of their own. Nobody answers a frame that is garbled or for a unit that
// is not there: nil.
func (w *World) Serial(now time.Duration, frame []byte) (reply []byte, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	if _, stuck := w.faults[serialLine].on(BusStuck, w.now); stuck || len(frame) < 4 {
		return nil, 0
	}
	body := frame[:len(frame)-2]
	if crc := rtuCRC(body); frame[len(frame)-2] != byte(crc) || frame[len(frame)-1] != byte(crc>>8) {
		return nil, 0
	}
	u := w.units[body[0]]
	if u == nil {
		return nil, 0
	}
	fs := w.faults[u.Target()]
	if _, absent := fs.on(NACK, w.now); absent {
		return nil, 0
	}
	answer := rtuAnswer(body, u.registers(body[1], w.now, fs))
	if f, refuses := fs.on(Exception, w.now); refuses {
		answer = []byte{body[0], body[1] | rtuException, byte(orDefault(f.Value, rtuFailure))}
	}
	if _, other := fs.on(WrongUnit, w.now); other {
		answer[0]++
	}
	reply = rtuFrame(answer)
	if _, garbled := fs.on(BadCRC, w.now); garbled {
		reply[len(reply)-1] ^= 0xFF
	}
	if f, late := fs.on(Late, w.now); late {
		after = time.Duration(orDefault(f.Value, lateBy) * float64(time.Second))
	}
	return reply, after
}

// rtuAnswer does what a request without its CRC asks of a unit's registers.
func rtuAnswer(request []byte, registers []uint16) []byte {
	refuse := func(code byte) []byte { return []byte{request[0], request[1] | rtuException, code} }
	if registers == nil || len(request) != rtuRequest-2 {
		return refuse(rtuNoFunction)
	}
	first, n := int(be16(request[2:])), int(be16(request[4:]))
	switch {
	case n < 1 || n > rtuMaxRegister:
		return refuse(rtuNoValue)
	case first+n > len(registers):
		return refuse(rtuNoAddress)
	}
	out := []byte{request[0], request[1], byte(2 * n)}
	for _, v := range registers[first : first+n] {
		hi, lo := put16(v)
		out = append(out, hi, lo)
	}
	return out
}
