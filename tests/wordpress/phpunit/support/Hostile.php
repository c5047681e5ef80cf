<?php
/**
 * Values that somebody writes who wants more than a player.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

/** Texts for every attribute, and things that are no texts. */
final class Hostile {
	/**
	 * Texts.
	 *
	 * @return string[]
	 */
	public static function texts(): array {
		$breakouts = array(
			'"><script>alert(1)</script>',
			'\'><script>alert(1)</script>',
			'</srs-player><script>alert(1)</script>',
			'</div></div><img src=x onerror=alert(1)>',
			'" onmouseover="alert(1)',
			'\' onfocus=\'alert(1)\' autofocus=\'',
			'x onload=alert(1)',
			'"/onerror=alert(1)//',
			'` onclick=alert(1) `',
			'&quot; onclick=&quot;alert(1)',
			'&#34; onclick=&#34;alert(1)',
			'&amp;quot; onclick=&amp;quot;alert(1)',
			'&lt;script&gt;alert(1)&lt;/script&gt;',
			'&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;',
			'<!--<script>-->alert(1)',
			']]><svg onload=alert(1)>',
			'[gallery][srs_player url="javascript:alert(1)"]',
			'http://h/a.flv"><iframe srcdoc="<script>alert(1)</script>">',
			'http://h/a.flv\' style=\'background:url(javascript:alert(1))',
			'1px" onclick="alert(1)',
			'live/a"><b onclick=alert(1)>',
			'live/a?secret="><script>alert(1)</script>',
		);
		$schemes = array(
			'javascript:alert(1)',
			'JaVaScRiPt:alert(1)',
			' javascript:alert(1)',
			"java\tscript:alert(1)",
			"java\nscript:alert(1)",
			"java\r\nscript:alert(1)",
			"\x01javascript:alert(1)",
			"java\0script:alert(1)",
			"\u{a0}javascript:alert(1)",
			"\u{200b}javascript:alert(1)",
			"\u{feff}javascript:alert(1)",
			"java\u{ad}script:alert(1)",
			'javascript&#58;alert(1)',
			'javascript&#x3a;alert(1)',
			'javascript&#0000058alert(1)',
			'javascript&colon;alert(1)',
			'javascript&amp;colon;alert(1)',
			'javascript&amp;amp;#58;alert(1)',
			'&#106;avascript:alert(1)',
			'java&Tab;script:alert(1)',
			'java&NewLine;script:alert(1)',
			'javascript://h/%0aalert(1)',
			'vbscript:msgbox(1)',
			'data:text/html,<script>alert(1)</script>',
			'data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==',
			'data:image/svg+xml,<svg onload=alert(1)>',
			'blob:https://h/x',
			'file:///etc/passwd',
			'view-source:http://h/',
			'feed:javascript:alert(1)',
			'http:javascript:alert(1)',
			'webrtc:javascript:alert(1)',
			'webrtc://',
			'http://',
			'http://user:pass@',
			'https://h:99999999/a.flv',
			'//',
			'///h/a.flv',
			'\\\\h\\a.flv',
			'http:\\\\h\\a.flv',
			'http://h/a.flv#<script>',
			'http://h/a flv?x=<"\'`{}|\\^>',
		);
		$styles = array(
			'100%;background:url(javascript:alert(1))',
			'1px;}body{display:none',
			'expression(alert(1))',
			'1px/**/;position:fixed',
			'calc(100% + 1px)',
			'url(http://h/)',
			'var(--x)',
			'-1',
			'1e9',
			'16:9;position:fixed;inset:0',
			'16/9"style="position:fixed',
			'x;y:z',
			'</style><script>alert(1)</script>',
		);
		$strange = array(
			'',
			' ',
			'0',
			'null',
			'99999999999999999999',
			"\xff\xfe<script>",
			"caf\xe9",
			"\xc0\xbcscript\xc0\xbe",
			"\xed\xa0\x80",
			"a\0b",
			"a\x1b[31mb\x7f",
			"\u{202e}gpj.exe",
			"\u{2028}alert(1)",
			"\u{ff1c}script\u{ff1e}",
			"\u{1f600}",
			'直播/频道',
			str_repeat( 'a', 70000 ),
			str_repeat( '&amp;', 5000 ),
			str_repeat( '<', 3000 ),
			str_repeat( 'a/', 2000 ) . 'a',
			'%00%0a%0d%22%3e%3cscript%3e',
			'${alert(1)}{{7*7}}<?php echo 1 ?>',
		);
		return array_merge( $breakouts, $schemes, $styles, $strange );
	}

	/**
	 * Things that are no texts, as a block's JSON or a filter of another plugin may bring them.
	 *
	 * @return array<mixed>
	 */
	public static function things(): array {
		return array(
			null,
			true,
			false,
			0,
			-1,
			PHP_INT_MAX,
			1.5,
			array(),
			array( '<script>' ),
			array( 'url' => 'javascript:alert(1)' ),
			array( array( '"><script>' ), 'a' ),
			new \stdClass(),
		);
	}
}
