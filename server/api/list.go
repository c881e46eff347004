package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/incident"
)

// A listing is what the query of a list of incidents asks for.
type listing struct {
	// open leaves out closed ones.
	open bool
	// limit is how many are listed at most; 0 for all.
	limit int
	// after is where the list goes on: at what comes after this line; nil
	// for the beginning.
	after *incident.Line
}

// parseListing reads the query. Its error is for whoever asked.
func parseListing(q url.Values) (listing, error) {
	var l listing
	var err error
	if v := q.Get("open"); v != "" {
		if l.open, err = strconv.ParseBool(v); err != nil {
			return l, errors.New("open is true or false")
		}
	}
	if v := q.Get("limit"); v != "" {
		if l.limit, err = strconv.Atoi(v); err != nil || l.limit < 1 {
			return l, errors.New("limit is a number, 1 or more")
		}
	}
	if v := q.Get("after"); v != "" {
		if l.after, err = parseMark(v); err != nil {
			return l, errors.New("after is not what an earlier answer said (Link)")
		}
	}
	return l, nil
}

// mark words a line's place in the order of the index. It does not depend on the
// incident still being there, or still being open.
func mark(l *incident.Line) string {
	state := "open"
	if !l.Open() {
		state = "closed"
	}
	return state + "." + l.Found.Format(time.RFC3339Nano) + "." + l.ID
}

func parseMark(s string) (*incident.Line, error) {
	l := new(incident.Line)
	state, rest, _ := strings.Cut(s, ".")
	switch state {
	case "open":
		l.Stage = incident.Found
	case "closed":
		l.Stage = incident.Closed
	default:
		return nil, fmt.Errorf("%.10q is no state", state)
	}
	n := strings.LastIndexByte(rest, '.')
	if n < 0 {
		return nil, errors.New("there is no id")
	}
	var err error
	l.ID = rest[n+1:]
	l.Found, err = time.Parse(time.RFC3339Nano, rest[:n])
	return l, err
}

// cut returns the lines that are asked for, and whether there are more.
func (l listing) cut(lines []incident.Line) (cut []incident.Line, more bool) {
	if l.open {
		n, _ := slices.BinarySearchFunc(lines, false, func(line incident.Line, _ bool) int {
			if line.Open() {
				return -1
			}
			return 1
		})
		lines = lines[:n]
	}
	if l.after != nil {
		n, same := slices.BinarySearchFunc(lines, l.after, func(line incident.Line, after *incident.Line) int { return line.Compare(after) })
		if same {
			n++
		}
		lines = lines[n:]
	}
	if l.limit > 0 && len(lines) > l.limit {
		return lines[:l.limit], true
	}
	return lines, false
}

// next is the path of what comes after the line.
func (l listing) next(last *incident.Line) string {
	q := url.Values{"limit": {strconv.Itoa(l.limit)}, "after": {mark(last)}}
	if l.open {
		q.Set("open", "true")
	}
	return "/api/incidents?" + q.Encode()
}

// list answers with incidents, one by one: open ones first, then the newest
// first, without Facts and Plan, which are most of an incident.
func (a *API) list(w http.ResponseWriter, r *http.Request, _ access.Identity) {
	l, err := parseListing(r.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	x, err := a.Incidents.Index(r.Context(), 0)
	if err != nil {
		a.answer(w, r, nil, err)
		return
	}
	lines, more := l.cut(x.Lines)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if more {
		w.Header().Set("Link", "<"+l.next(&lines[len(lines)-1])+`>; rel="next"`)
	}
	if r.Method == http.MethodHead {
		return
	}
	if err := a.stream(r.Context(), w, lines, l.open); err != nil {
		if r.Context().Err() == nil {
			a.Log.Error("listing incidents, the answer is cut off", "err", err)
		}
		panic(http.ErrAbortHandler) // the connection ends in the middle, and nobody takes it for the whole
	}
}

// patience is how long a client may take for one incident.
const patience = 30 * time.Second

// stream writes the incidents as a JSON array, a line each.
func (a *API) stream(ctx context.Context, w http.ResponseWriter, lines []incident.Line, open bool) error {
	deadline := http.NewResponseController(w)
	before := "["
	err := a.Incidents.List(ctx, lines, open, func(text []byte) error {
		_ = deadline.SetWriteDeadline(time.Now().Add(patience)) // that of the server is for a whole answer
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		before = ",\n"
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return err
	}
	end := "]\n"
	if before == "[" {
		end = "[]\n"
	}
	_, err = io.WriteString(w, end)
	return err
}
