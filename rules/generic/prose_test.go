package generic

import "testing"

// TestTextIsNoSecret holds to what a scan of 2 GB of foreign code reported.
func TestTextIsNoSecret(t *testing.T) {
	neighbours := "\"title\": \"Geef de naam op\",\n\"body\": \"Kies een naam en een land.\",\n"
	for _, text := range []string{
		`$lang['pass'] = 'Wagwoord';`, `$labels['password'] = 'Ger-Tremen';`, `"password": "Пароль",`, `"password": "Contraseña",`, `"password": "Passw\u00f6rter",`,
		`"config-password": "Tenimiafina :",`, `"botpasswords-label-delete": "Sulara",`, `msgstr "Password: permesso negato"`,
		`"resetpass-info": "Barkatu, eremu guztiak bete behar dituzu.",`, `"passwordreset-error": "Die botnaam \"$1\" is nie geldig nie.",`,
		neighbours + `"login.password": "Wachtwoord",` + "\n" + neighbours,
		`:param admin_password: Describes the password to set.`, `Tests the --passwd command for backwards-compatibility.`, `# --password suffers from the same`,
		`'dkim': {'key': 'netIpv4TcpMaxTwBuckets', 'type': 'int'},`, `"visualeditor-key-space": "Espazioa",`, `const HKEY_CURRENT_CONFIG = 2147483653`,
		`auth_string = '%s:%s:%s' % (a, b)`, `hashed_password = 'md5{0}'.format(x)`, `cpm_password: "{{ansible_pw}}"`, `login_password={{webfaction_passwd}}`,
		`var pass = '#snmp_priv_passphrase';`, `'LocalIPAssociation': '1.0-4febb23ad22f11a69c431b077b3aac21',`, `"GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568",`,
		`key = _ref2[_j];`, `username, _, password = login`, `pwpolicy['krbpwdlockout'] = lockouttime`, `form[type=password]:focus,.config`, `requires 'Text::Password::Pronounceable';`,
		`"passwd": "--password",`, `'OLD_PASSWORD': ['function_old_password'],`, `headers['Authorization'] = 'AWS3-HTTPS ' + x`, `save_password: "disable"`,
		`passwordSecret: grafana-admin-credentials`, `rbd_secret_uuid = '5fe62cc7-0392-4a32-8466-081ce0ea970f'`, `case AuthErrorCodes.WRONG_PASSWORD: return 'auth/wrong-password';`,
		`type CredentialKind = 'cloud' | 'elasticsearch';`, `jest --passWithNoTests --coverage=true`, `proxy_pass http://localhost:3000/_next/webpack-hmr;`,
		`"passwordreset-mail": "Kasutajanimi: \n$1\n\nAjutine parool: \n$2",`, `TOKEN_API_HOST = 'securetoken.googleapis.com'`,
	} {
		for _, c := range All([]byte(text)) {
			if Judge([]byte(text), c) >= 0 {
				t.Errorf("%s: %q is taken for a secret", text, text[c.Start:c.End])
			}
		}
	}
}

// TestSecretsInCompany has what resembles the text above and is a secret.
func TestSecretsInCompany(t *testing.T) {
	neighbours := "\"title\": \"Geef de naam op\",\n\"body\": \"Kies een naam en een land.\",\n"
	for _, text := range []string{
		neighbours + `"password": "` + strong + `",` + "\n" + neighbours, `"passwörd_password": "` + strong + `"`, `config["password"] = "` + strong + `"`,
		`password = "fäk3` + strong + `"`, `"key": "` + strong + strong + `"`, `admin_password: ` + strong + ` # for the tests`,
	} {
		found := false
		for _, c := range All([]byte(text)) {
			found = found || Judge([]byte(text), c) >= 0
		}
		if !found {
			t.Errorf("%s: nothing found", text)
		}
	}
}
