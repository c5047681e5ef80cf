<?php
/**
 * What a browser finds in the plugin's HTML that must not be there.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

/** Allows what the renderer makes, and nothing else. */
final class Markup {
	private const FLAGS = array( 'data-lianmai', 'data-all', 'hidden', 'autoplay', 'muted', 'controls', 'loop', 'viewers', 'stats', 'preview' );

	/** The name of a room. */
	private const ROOM = '~^[^\s/\\\\?#%<>"\'`\p{C}.][^\s\\\\?#%<>"\'`\p{C}]{0,63}$~Du';

	/** Attributes of each element, with what they may hold. */
	private const ALLOWED = array(
		'div'           => array(
			'class' => '/^lianmai lianmai-(player|publisher|rooms?|chat) wp-block-lianmai-(player|publisher|rooms?|chat)( -?[A-Za-z_][\w-]*)*$/D',
			'style' => '~^(width:\d{1,5}(px|%);max-width:100%;)?(aspect-ratio:\d{1,4}/\d{1,4};)?(height:\d{1,5}px;)?$~D',
		),
		'p'             => array( 'class' => '/^lianmai-note$/D' ),
		'noscript'      => array(),
		'a'             => array( 'href' => 'address' ),
		'srs-player'    => array(
			'url'         => 'address',
			'poster'      => 'address',
			'captions'    => 'address',
			'protocol'    => '/^(webrtc|flv|ws-flv|hls|ts|native)$/D',
			'latency'     => '/^(realtime|normal)$/D',
			'preload'     => '/^(metadata|auto)$/D',
			'retry'       => '/^\d{1,6}$/D',
			'ratio'       => '/^\d{1,4}:\d{1,4}$/D',
			'width'       => '/^\d{1,5}$/D',
			'height'      => '/^\d{1,5}$/D',
			'title'       => '/^(?:[^\p{C}]|[\x{200c}\x{200d}]){1,300}$/Du',
			'offline'     => '/^(?:[^\p{C}]|[\x{200c}\x{200d}]){1,300}$/Du',
			'data-ticket' => '/^[\w-]+\.[\w-]+$/D',
			'data-token'  => '/^$/D',
			'data-without' => '/^Watching this needs JavaScript\.$/D',
		),
		'srs-audience'  => array(
			'room'         => self::ROOM,
			'server'       => 'address',
			'title'        => '/^(?:[^\p{C}]|[\x{200c}\x{200d}]){1,300}$/Du',
			'data-ticket'  => '/^[\w-]+\.[\w-]+$/D',
			'data-token'   => '/^$/D',
			'data-without' => '/^Watching this needs JavaScript\.$/D',
		),
		'srs-chat'      => array(
			'room'        => self::ROOM,
			'server'      => 'address',
			'data-ticket' => '/^[\w-]+\.[\w-]+$/D',
			'data-token'  => '/^$/D',
		),
		'srs-room-list' => array(
			'server' => 'address',
			'prefix' => '~^[\w.-]+(/[\w.-]+)*/$~D',
		),
		'srs-publisher' => array(
			'url'         => 'address',
			'protocol'    => '/^webrtc$/D',
			'source'      => '/^(screen|audio)$/D',
			'bitrate'     => '/^\d{2,6}$/D',
			'width'       => '/^\d{1,5}$/D',
			'height'      => '/^\d{1,5}$/D',
			'data-ticket' => '/^[\w-]+\.[\w-]+$/D',
			'data-token'  => '/^$/D',
		),
	);

	/**
	 * The body of some HTML, as it is parsed.
	 *
	 * @param string $html of a page.
	 */
	public static function body( string $html ): \DOMElement {
		$document = new \DOMDocument();
		$before   = libxml_use_internal_errors( true );
		$document->loadHTML( '<?xml encoding="utf-8"?><html><body>' . $html . '</body></html>' );
		libxml_clear_errors();
		libxml_use_internal_errors( $before );
		$body = $document->getElementsByTagName( 'body' )->item( 0 );
		return $body instanceof \DOMElement ? $body : $document->createElement( 'body' );
	}

	/**
	 * The one element of ours in some HTML.
	 *
	 * @param string $html of a page.
	 * @return array<string, string> attributes; `in` is the box's style, `box` its classes.
	 */
	public static function element( string $html ): array {
		foreach ( array( 'srs-player', 'srs-publisher', 'srs-audience', 'srs-chat', 'srs-room-list' ) as $name ) {
			$found = self::body( $html )->getElementsByTagName( $name );
			if ( 1 === $found->length ) {
				$is = array();
				foreach ( $found->item( 0 )->attributes as $attribute ) {
					$is[ $attribute->nodeName ] = $attribute->nodeValue;
				}
				return $is + array(
					'in'  => $found->item( 0 )->parentNode->getAttribute( 'style' ),
					'box' => $found->item( 0 )->parentNode->getAttribute( 'class' ),
				);
			}
		}
		return array();
	}

	/**
	 * What is not allowed in what the renderer made.
	 *
	 * @param string $html all of it.
	 * @return string[] empty: nothing.
	 */
	public static function findings( string $html ): array {
		if ( '' === $html ) {
			return array();
		}
		$found = array();
		if ( ! preg_match( '//u', $html ) || preg_match( '/[\x00-\x08\x0b-\x1f\x7f]/', $html ) ) {
			$found[] = 'not clean UTF-8';
		}
		// Every bracket belongs to a tag: parsers that disagree on other things agree on that.
		$tags = 0 === strpos( $html, '<p' ) ? 2 : 4 + 4 * (int) preg_match( '~><noscript><a href="[^"<>]*">[^<>]+</a></noscript></srs-(?:player|audience)></div>$~D', $html );
		if ( substr_count( $html, '<' ) !== $tags || substr_count( $html, '>' ) !== $tags ) {
			$found[] = 'more or fewer tags';
		}
		return array_merge( $found, self::inside( self::body( $html ) ) );
	}

	/**
	 * What is not allowed in an element.
	 *
	 * @param \DOMNode $parent whose children are looked at.
	 * @return string[]
	 */
	private static function inside( \DOMNode $parent ): array {
		$found = array();
		foreach ( $parent->childNodes as $node ) {
			if ( $node instanceof \DOMText ) {
				if ( ! in_array( $parent->nodeName, array( 'p', 'a' ), true ) && '' !== trim( $node->nodeValue ) ) {
					$found[] = "text: {$node->nodeValue}";
				}
				continue;
			}
			$allowed = self::ALLOWED[ $node->nodeName ] ?? null;
			if ( null === $allowed ) {
				$found[] = "element: {$node->nodeName}";
				continue;
			}
			foreach ( $node->attributes as $attribute ) {
				if ( ! self::allows( $attribute->nodeName, $attribute->nodeValue, $allowed ) ) {
					$found[] = "{$node->nodeName} {$attribute->nodeName}={$attribute->nodeValue}";
				}
			}
			$found = array_merge( $found, self::inside( $node ) );
		}
		return $found;
	}

	/**
	 * Whether an attribute may be there.
	 *
	 * @param string                $name    of the attribute.
	 * @param string                $value   as parsed.
	 * @param array<string, string> $allowed of the element.
	 */
	private static function allows( string $name, string $value, array $allowed ): bool {
		if ( in_array( $name, self::FLAGS, true ) ) {
			return '' === $value || $name === $value;
		}
		$rule = $allowed[ $name ] ?? null;
		if ( 'address' !== $rule ) {
			return null !== $rule && 1 === preg_match( $rule, $value );
		}
		// As URL parsers read it: without controls and white space, wherever they are.
		$read   = (string) preg_replace( '/[\x00-\x20\x7f\p{C}\p{Z}]+/u', '', html_entity_decode( $value, ENT_QUOTES | ENT_HTML5, 'UTF-8' ) );
		$scheme = preg_match( '~^([^/?#:]*):~', $read, $is ) ? strtolower( $is[1] ) : null;
		return $read === $value && ( null === $scheme || in_array( $scheme, array( 'http', 'https', 'ws', 'wss', 'webrtc', 'rtmp' ), true ) );
	}
}
