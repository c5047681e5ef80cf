<?php
/**
 * Quotation marks as word processors, phones and editors write them.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * WordPress ends a shortcode's value at a straight quotation mark only. `stream=”live/a”` becomes a value with the marks
 * in it, and `title=”Two words”` is cut at the space.
 */
final class Quotes {
	/** Double quotation marks except the straight mark, and their entities. */
	private const CURLY  = '“”„‟«»″‴‶‷ʺˮ˝〝〞〟＂「」『』';
	private const DOUBLE = '[' . self::CURLY . ']|&(?:amp;)*(?:[lrb]dquo|[lr]aquo|ldquor|rdquor|Prime|tprime|#0*(?:171|187|698|733|750|822[0-3]|8243|8244|8246|8247|1230[0-3]|1231[7-9]|65282)|#[xX]0*(?:[aA][bB]|[bB][bB]|2[bB][aA]|2[dD][dD]|2[eE][eE]|201[c-fC-F]|203[3467]|300[c-fC-F]|301[d-fD-F]|[fF][fF]02));';

	/** The straight double quotation mark, and its entities. */
	private const STRAIGHT = '"|&(?:amp;)*(?:quot|QUOT|#0*34|#[xX]0*22);';

	/** Single quotation marks, and their entities. */
	private const SINGLES = '\'‘’‚‛‹›′‵ʹʼ´`＇';
	private const SINGLE  = '[' . self::SINGLES . ']|&(?:amp;)*(?:apos|[lr]squo|sbquo|lsquor|rsquor|[lr]saquo|prime|bprime|acute|grave|#0*(?:39|96|180|697|700|821[6-9]|8242|8245|8249|8250|65287)|#[xX]0*(?:27|60|[bB]4|2[bB]9|2[bB][cC]|201[89abAB]|203[259aA]|[fF][fF]07));';

	/**
	 * Returns the attributes of a shortcode with straight marks around values with other marks.
	 *
	 * @param string $written The text between a shortcode's name and its bracket.
	 */
	public static function straighten( string $written ): string {
		// WordPress treats the first two as spaces as well.
		$text   = (string) preg_replace( '/[\x{a0}\x{200b}\x{202f}\x{feff}]+/u', ' ', $written );
		$double = self::DOUBLE;
		$any    = self::DOUBLE . '|' . self::STRAIGHT;
		$single = self::SINGLE;
		$mended = preg_replace_callback(
			// Skip values that WordPress parses correctly.
			"~(?<![\\w-])[\\w-]+\\s*=\\s*(?:\"[^\"]*\"|'[^']*')(?=\\s|/?\$)(*SKIP)(*FAIL)"
			// Between curly marks, a straight mark is part of the value, up to the next name.
			. "|(?<![\\w-])([\\w-]+)\\s*[=＝]\\s*(?:(?:{$double})+((?:(?!\\s[\\w-]+\\s*=).)*?)(?:{$double})+"
			. "|(?:{$any})+(.*?)(?:{$any})+|(?:{$single})+(.*?)(?:{$single})+)(?=\\s|/?\$)~su",
			static function ( array $is ): string {
				return $is[1] . '="' . str_replace( '"', '&quot;', trim( $is[2] . ( $is[3] ?? '' ) . ( $is[4] ?? '' ) ) ) . '"';
			},
			$text
		);
		return null === $mended || $mended === $text ? $written : $mended;
	}

	/**
	 * Removes the marks around a text.
	 *
	 * @param string $text With entities decoded.
	 */
	public static function strip( string $text ): string {
		$marks = '"' . self::CURLY . self::SINGLES;
		return (string) preg_replace( "/^[\\s\\x{a0}\\x{202f}{$marks}]+|[\\s\\x{a0}\\x{202f}{$marks}]+\$/u", '', $text );
	}
}
