package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// newClient returns a client for one channel. It follows no redirect: what was
// signed for one receiver is not for another.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			MaxIdleConns:          2,
			IdleConnTimeout:       time.Minute,
			ForceAttemptHTTP2:     true,
			ResponseHeaderTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// checkURL holds an URL to https; http is for this machine alone.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return errors.New("it is no URL such as https://host/path")
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return errors.New("it must begin with https://")
	}
	return nil
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 10

// post sends a body and judges the answer.
func post(ctx context.Context, client *http.Client, to string, header http.Header, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be used") // the error has the URL, which may be a secret
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "spillgate-server")
	resp, err := client.Do(req)
	if err != nil {
		return bare(err)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode/100 == 2 {
		// A receiver that answers 2xx has the message, whether or not the rest
		// of its answer arrives.
		return nil
	}
	return errors.Join(judge(resp.StatusCode, resp.Header.Get("Retry-After")), bare(err))
}

// judge makes an error of an answer that is not 2xx. Answers are not quoted:
// some repeat what was sent, credentials included.
func judge(code int, retryAfter string) error {
	f := &Failure{Err: fmt.Errorf("the receiver answered %d %s", code, http.StatusText(code)), After: seconds(retryAfter, time.Now())}
	switch code {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType:
		f.Refused = true
	}
	return f
}

// seconds reads a Retry-After header: a number of seconds or a date (RFC 9110,
// section 10.2.3).
func seconds(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil && n >= 0 {
		return time.Duration(min(n, int(maxRetryAfter/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(0, t.Sub(now)), maxRetryAfter)
	}
	return 0
}

// bare takes the URL off an error of an HTTP client: that of a Slack webhook is
// its password.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("posting: %w", u.Err)
	}
	return err
}
